import { apiError } from '@bloomery/kube';
import { isJsonObject, type JsonObject, timeText } from '@bloomery/model';
import type { ApiEngine } from '../api-engine.ts';
import type { ApiObject } from '../api-object.ts';
import type { NamedObject } from '../auth/tokens/account-claims.ts';
import type { ServiceAccountTokens, TokenOrder } from '../auth/tokens/service-account-tokens.ts';
import { text } from '../json-parts.ts';
import { badRequest, invalidObject, methodNotAllowed, notFound } from '../pipeline/api-status.ts';
import { invalid } from '../schema/index.ts';
import { jsonAnswer } from './answers.ts';
import type { ApiPath } from './api-path.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { reviewBodyOf } from './review-body.ts';
import { TOKEN_REQUEST } from './review-kinds.ts';

/** A request for a token of a service account. */
export interface TokenCall {
  readonly engine: Pick<ApiEngine, 'store' | 'clock'>;
  readonly accountTokens: ServiceAccountTokens;
  readonly request: ApiRequest;
  readonly path: ApiPath;
}

const HOUR_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;

/** What tokens can be bound to, and which part of an order it is. */
const BOUND_KINDS: Readonly<Record<string, { readonly plural: string; readonly part: 'pod' | 'secret' | 'node' }>> = {
  Pod: { plural: 'pods', part: 'pod' },
  Secret: { plural: 'secrets', part: 'secret' },
  Node: { plural: 'nodes', part: 'node' },
};

/** Whether an address is `serviceaccounts/NAME/token`. */
export function isTokenPath(path: ApiPath): boolean {
  return (
    path.group === '' && path.version === 'v1' && path.plural === 'serviceaccounts' && path.subresource === 'token'
  );
}

/** Make a token for a service account (`kubectl create token`). @throws 400, 404, 405, 409, 422. */
export async function handleTokenRequest(call: TokenCall): Promise<ApiAnswer> {
  const { engine, accountTokens, request, path } = call;
  const { name = '', namespace = '' } = path;
  if (request.method !== 'POST') throw methodNotAllowed();
  const { object, warnings } = await reviewBodyOf(request, path, TOKEN_REQUEST);
  const account = engine.store.get({ resource: 'serviceaccounts', namespace, name });
  if (account === undefined) throw notFound({ id: 'serviceaccounts', group: '', plural: 'serviceaccounts' }, name);
  const given = object.metadata.name ?? '';
  if (given !== '' && given !== name) {
    const problem = invalid('metadata.name', given, 'must match the service account name if specified');
    throw invalidObject(TOKEN_REQUEST, name, [problem]);
  }
  const spec = isJsonObject(object['spec']) ? object['spec'] : {};
  const lifetimeSeconds = lifetimeOf(spec);
  const audiences =
    Array.isArray(spec['audiences']) && spec['audiences'].length > 0 ? spec['audiences'].map(String) : undefined;
  const asked = isJsonObject(spec['boundObjectRef']) ? spec['boundObjectRef'] : undefined;
  const order: TokenOrder = {
    namespace,
    account: named(account),
    audiences: audiences ?? accountTokens.audiences,
    lifetimeSeconds,
    ...(asked === undefined ? {} : boundTo(call, asked)),
  };
  const { token, expiresMs } = accountTokens.issue(order);
  const { uid } = account.metadata;
  const metadata = { ...object.metadata, name, namespace, uid, creationTimestamp: timeText(engine.clock.nowMs()) };
  const answer: JsonObject = {
    ...object,
    metadata,
    spec: { audiences: [...order.audiences], expirationSeconds: lifetimeSeconds, boundObjectRef: asked ?? null },
    status: { token, expirationTimestamp: timeText(expiresMs) },
  };
  return jsonAnswer(201, answer, warnings);
}

function lifetimeOf(spec: JsonObject): number {
  const seconds = spec['expirationSeconds'] === undefined ? HOUR_SECONDS : Number(spec['expirationSeconds']);
  const problem =
    seconds < MIN_SECONDS
      ? 'may not specify a duration less than 10 minutes'
      : seconds > MAX_SECONDS
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (problem === undefined) return seconds;
  throw invalidObject(TOKEN_REQUEST, '', [invalid('spec.expirationSeconds', seconds, problem)]);
}

function boundTo({ engine, path }: TokenCall, asked: JsonObject): Partial<TokenOrder> {
  const [kind, apiVersion, name, uid] = ['kind', 'apiVersion', 'name', 'uid'].map((field) => text(asked[field]));
  const bound = kind === undefined || apiVersion !== 'v1' ? undefined : BOUND_KINDS[kind];
  if (bound === undefined)
    throw badRequest(`cannot bind token to object of type ${groupKind(apiVersion ?? '', kind ?? '')}`);
  if (name === undefined || name === '') throw badRequest('Name parameter required.');
  const { plural, part } = bound;
  const namespace = part === 'node' ? '' : (path.namespace ?? '');
  const object = engine.store.get({ resource: plural, namespace, name });
  if (object === undefined) throw notFound({ id: plural, group: '', plural }, name);
  if (uid !== '' && uid !== object.metadata.uid) throw otherUid(kind ?? '', name, uid ?? '');
  return { [part]: named(object), ...(part === 'pod' ? nodeOfPod(engine, object) : {}) };
}

/** A Pod's token says where it runs. */
function nodeOfPod(engine: TokenCall['engine'], pod: ApiObject): Partial<TokenOrder> {
  const nodeName = isJsonObject(pod['spec']) ? text(pod['spec']['nodeName']) : '';
  const node = nodeName === '' ? undefined : engine.store.get({ resource: 'nodes', namespace: '', name: nodeName });
  return node === undefined ? {} : { node: named(node) };
}

function otherUid(kind: string, name: string, uid: string) {
  const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  return apiError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${kind} ${JSON.stringify(name)}: ${why}`,
    details: { name, kind },
  });
}

/** As Go prints a kind with its group and version. */
function groupKind(apiVersion: string, kind: string): string {
  return `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;
}

function named({ metadata: { name, uid = '' } }: ApiObject): NamedObject {
  return { name, uid };
}
