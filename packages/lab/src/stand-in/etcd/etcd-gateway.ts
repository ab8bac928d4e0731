import { Agent, request } from 'node:https';
import { grpcError, grpcStatusName } from '@bloomery/grpc';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@bloomery/model';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { EtcdMember, EtcdStatus } from '@bloomery/talos';

/** Where an etcd member answers, and who asks. PEM texts. */
export interface EtcdAccess {
  /** `https://host:port` */
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * One member of an etcd cluster, asked over etcd's own JSON gateway. Calls end after 5 s. Failures are gRPC errors: what etcd
 * answered, or UNAVAILABLE.
 */
export interface EtcdGateway extends Disposable {
  members(): Promise<readonly EtcdMember[]>;
  /** Make room for a member; gives all of them, the new one without a name. */
  addMember(peerUrl: string): Promise<readonly EtcdMember[]>;
  removeMember(id: bigint): Promise<void>;
  status(): Promise<EtcdStatus>;
  moveLeader(to: bigint): Promise<void>;
  isHealthy(): Promise<boolean>;
}

const TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 1 << 20;

/** A connection to one member. */
export function createEtcdGateway({ url, ...credentials }: EtcdAccess): EtcdGateway {
  const agent = new Agent({ ...credentials, keepAlive: true, maxSockets: 4 });
  const send = (method: 'GET' | 'POST', path: string, body: string): Promise<string> =>
    answerOf({ url: `${url}${path}`, method, body, agent });
  const call = async (path: string, body: JsonObject = {}): Promise<JsonObject> => {
    const answer = parseJson(await send('POST', `/v3/${path}`, JSON.stringify(body)));
    return isJsonObject(answer) ? answer : {};
  };
  return {
    members: async () => membersOf(await call('cluster/member/list')),
    addMember: async (peerUrl) => membersOf(await call('cluster/member/add', { peerURLs: [peerUrl] })),
    removeMember: async (id) => {
      await call('cluster/member/remove', { ID: String(id) });
    },
    status: async () => statusOf(await call('maintenance/status')),
    moveLeader: async (to) => {
      await call('maintenance/transfer-leadership', { targetID: String(to) });
    },
    isHealthy: async () => {
      try {
        return /"health":\s*"true"/.test(await send('GET', '/health', ''));
      } catch {
        return false;
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

interface Call {
  readonly url: string;
  readonly method: string;
  readonly body: string;
  readonly agent: Agent;
}

function answerOf({ url, method, body, agent }: Call): Promise<string> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(grpcError('UNAVAILABLE', `asking etcd at ${url}: ${errorText(cause)}`, cause));
    const outgoing = request(url, { method, agent, signal: AbortSignal.timeout(TIMEOUT_MS) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_ANSWER_BYTES) outgoing.destroy(new RangeError('the answer is too large'));
      });
      answer.on('error', failed);
      answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(refusal(text, answer.statusCode))));
    });
    outgoing.on('error', failed);
    outgoing.end(body);
  });
}

function refusal(text: string, status: number | undefined): BloomeryError {
  try {
    const answer = parseJson(text);
    const code = isJsonObject(answer) ? answer['code'] : undefined;
    if (isJsonObject(answer) && typeof code === 'number')
      return grpcError(grpcStatusName(code), textOf(answer['message']));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof BloomeryError)) throw error;
  }
  return grpcError('UNKNOWN', `etcd answered HTTP ${status ?? 0}: ${text.slice(0, 200)}`);
}

function membersOf(answer: JsonObject): EtcdMember[] {
  return objects(answer['members']).map((member) => ({
    id: number64(member['ID']),
    hostname: textOf(member['name']),
    peerUrls: texts(member['peerURLs']),
    clientUrls: texts(member['clientURLs']),
    isLearner: member['isLearner'] === true,
  }));
}

function statusOf(answer: JsonObject): EtcdStatus {
  const header = answer['header'];
  return {
    memberId: number64(isJsonObject(header) ? header['member_id'] : undefined),
    leader: number64(answer['leader']),
    isLearner: answer['isLearner'] === true,
    dbSize: number64(answer['dbSize']),
    errors: texts(answer['errors']),
  };
}

/** The gateway writes 64-bit numbers as text, and leaves zeros out. */
function number64(value: Json | undefined): bigint {
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : 0n;
}

function objects(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter((entry): entry is JsonObject => isJsonObject(entry)) : [];
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
