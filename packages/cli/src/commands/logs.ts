import { findObject } from '@bloomery/kube';
import { cluster, machine, metalMachine, server, serverBinding, siderolinkPeer } from '@bloomery/model';
import { errorText, isBloomeryError } from '@bloomery/ports';
import { usageError } from '../exit-code.ts';
import { ageText, parseDuration } from '../output/age.ts';
import { kernelLineText, readKernelLine } from '../output/kernel-line.ts';
import type { Session } from '../session.ts';
import { type FoundObject, findArgument } from './insight.ts';

/** Options of `bloomery logs`. */
export interface LogsOptions {
  readonly all?: boolean;
  readonly follow?: boolean;
  readonly since?: string;
  readonly grep?: string;
  readonly tail?: string;
  readonly json?: boolean;
}

const BASE = '/apis/insight.bloomery.dev/v1alpha1';
const RETRY_MS = 1000;
/** Who follows and gets nothing is told why after this time. */
const QUIET_MS = 1500;

/**
 * `bloomery logs SERVER|machine/NAME|metalmachine/NAME|cluster/NAME|--all`: kernel lines of machines. A stream that is followed and
 * breaks off is taken up again behind its last line.
 *
 * @throws BloomeryError BLM_CLI_USAGE, BLM_CLI_NAME_UNKNOWN, BLM_API_*
 */
export async function logs(session: Session, words: readonly string[], options: LogsOptions): Promise<void> {
  const query = queryOf(options);
  if ((options.all === true) === words.length > 0) {
    throw usageError(
      'logs of what? Name a server, machine/NAME, metalmachine/NAME or cluster/NAME, or use --all',
      'bloomery logs --help',
    );
  }
  const found = options.all === true ? undefined : await findArgument(session, words);
  const path = pathOf(found, query);
  const { deps } = session;
  const print = options.json === true ? printJson(session) : printText(session, found);
  let count = 0;
  const sayWhyNone = async (): Promise<void> => {
    if (count > 0 || deps.signal.aborted) return;
    const why = await whyNone(session, found);
    deps.stderr.write(`No kernel lines${isFiltered(options) ? ' that fit' : ' yet'}. ${why}\n`);
  };
  const follow = options.follow === true;
  const cancel = follow ? deps.clock.after(QUIET_MS, () => void sayWhyNone()) : undefined;
  try {
    await readLines(session, path, query, follow, async (line) => {
      count += 1;
      await print(line);
    });
  } finally {
    cancel?.();
  }
  if (!follow) await sayWhyNone();
}

function queryOf({ follow, since, grep, tail }: LogsOptions): URLSearchParams {
  const query = new URLSearchParams({ cursors: 'true' });
  if (follow === true) query.set('follow', 'true');
  if (since !== undefined) {
    const sinceMs = parseDuration(since);
    if (sinceMs === undefined) throw usageError(`--since ${since}: a duration such as 90s, 2h or 3d is wanted`);
    query.set('since', `${sinceMs}ms`);
  }
  if (tail !== undefined) {
    if (!/^\d+$/.test(tail)) throw usageError(`--tail ${tail}: a number of lines is wanted`);
    query.set('tail', tail);
  }
  if (grep !== undefined) query.set('grep', grep);
  return query;
}

const NAMESPACED = new Map([cluster, machine, metalMachine].map((kind) => [kind.kind, kind.kind.toLowerCase()]));

function pathOf(found: FoundObject | undefined, query: URLSearchParams): string {
  if (found === undefined) return `${BASE}/serverlogs`;
  const { name, namespace = 'default' } = found.object.metadata;
  if (found.kind.kind === server.kind || found.kind.kind === serverBinding.kind) return `${BASE}/serverlogs/${name}`;
  const key = NAMESPACED.get(found.kind.kind);
  if (key === undefined) {
    throw usageError(`a ${found.kind.kind} has no kernel log: name a server, machine, metalmachine or cluster`);
  }
  query.set(key, name);
  return `${BASE}/namespaces/${namespace}/serverlogs`;
}

/** Hand on all lines that come; resolves when there will be no more. */
async function readLines(
  { client, deps }: Session,
  path: string,
  query: URLSearchParams,
  follow: boolean,
  take: (line: string) => Promise<void>,
): Promise<void> {
  const { signal, clock, stderr } = deps;
  let isLost = false;
  while (!signal.aborted) {
    try {
      const call = { method: 'GET', path: `${path}?${query}`, accept: 'application/x-ndjson', signal } as const;
      for await (const text of client.transport.lines(call)) {
        isLost = false;
        const at = text.indexOf(' ');
        await take(text.slice(at + 1));
        query.set('after', text.slice(0, at));
        query.delete('since');
        query.delete('tail');
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!follow || !isOutage(error)) throw error;
      if (!isLost) stderr.write(`The manager does not answer (${errorText(error)}); going on when it does.\n`);
      isLost = true;
    }
    if (!follow) return;
    await clock.sleep(RETRY_MS, signal);
  }
}

/** The manager is gone or restarts; a refusal is none. */
function isOutage(error: unknown): boolean {
  if (!isBloomeryError(error, 'BLM_API_UNAVAILABLE')) return false;
  const status = error.facts['status'];
  const code = typeof status === 'object' && status !== null && 'code' in status ? Number(status.code) : 503;
  return code >= 500;
}

function printJson({ deps }: Session): (line: string) => Promise<void> {
  return async (line) => deps.stdout.write(`${line}\n`);
}

/** Where there may be several machines each line begins with the host name of its own. */
function printText(session: Session, found: FoundObject | undefined): (line: string) => Promise<void> {
  const isOne = found !== undefined && found.kind.kind !== cluster.kind;
  const names = new Map<string, string>();
  const nameOf = async (uuid: string | undefined): Promise<string> => {
    if (uuid === undefined) return 'unknown';
    const known = names.get(uuid);
    if (known !== undefined) return known;
    const name = (await hostNameOf(session, uuid)) ?? uuid;
    names.set(uuid, name);
    return name;
  };
  return async (text) => {
    const line = readKernelLine(text);
    if (line === undefined) return;
    session.deps.stdout.write(kernelLineText(line, isOne ? undefined : await nameOf(line.server)));
  };
}

/** The name that its inventory knows, else what its operating system calls itself. */
async function hostNameOf({ client }: Session, uuid: string): Promise<string | undefined> {
  const key = { name: uuid };
  const known = await findObject(client, server, key).catch(() => undefined);
  if (known?.spec?.hostname !== undefined) return known.spec.hostname;
  const binding = await findObject(client, serverBinding, key).catch(() => undefined);
  return binding?.spec?.hostname;
}

function isFiltered({ since, grep, tail }: LogsOptions): boolean {
  return since !== undefined || grep !== undefined || tail === '0';
}

/** In one sentence, as far as the manager says it. */
async function whyNone(session: Session, found: FoundObject | undefined): Promise<string> {
  if (found === undefined) return 'No machine has sent any: bloomery siderolink shows which are linked.';
  const name = await serverNameOf(session, found);
  if (name === undefined)
    return `${found.object.kind} ${found.object.metadata.name} has no server yet: bloomery explain tells why.`;
  const peer = await findObject(session.client, siderolinkPeer, { name }).catch(() => undefined);
  switch (peer?.state) {
    case undefined:
      return 'The machine was never linked: it is when Talos first boots on it after its allocation.';
    case 'up':
      return 'The machine is linked and has sent nothing: is talos.logging.kernel among its kernel arguments, or KmsgLogConfig in its configuration?';
    case 'down':
      return `Its link is down since ${ageText(peer?.lastHandshake, session.deps.clock.nowMs())}: bloomery explain server/${name}`;
    default:
      return `The machine has a link address and was not heard from. Is the manager's end up? bloomery siderolink; then bloomery explain server/${name}`;
  }
}

async function serverNameOf(session: Session, { kind, object }: FoundObject): Promise<string | undefined> {
  const { name, namespace = 'default' } = object.metadata;
  if (kind.kind === server.kind || kind.kind === serverBinding.kind) return name;
  if (kind.kind !== metalMachine.kind) return undefined;
  const { items } = await session.client.list(serverBinding).catch(() => ({ items: [] }));
  const binding = items.find(({ spec }) => {
    const ref = spec?.metalMachineRef;
    return ref?.name === name && (ref?.namespace ?? 'default') === namespace;
  });
  return binding?.metadata.name;
}
