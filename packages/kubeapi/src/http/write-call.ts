import { apiError } from '@bloomery/kube';
import type { Json, JsonObject } from '@bloomery/model';
import { forbiddenOption, type OptionProblem } from '../pipeline/invalid-options.ts';
import type { PatchBody } from '../pipeline/patch-object.ts';
import type { WriteRequest } from '../pipeline/write-request.ts';
import { requireAllowed } from './access.ts';
import { decodeWithDuplicates, jsonWithDuplicates, unsupported } from './read-body.ts';
import { attributesOf } from './request-info.ts';
import { isTrue, type ResourceCall } from './resource-call.ts';
import { type WriteOptions, writeOptionsOf } from './write-options.ts';

const SUBRESOURCES = ['status', 'scale', 'finalize'] as const;
const PATCH_TYPES = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
const APPLY = 'application/apply-patch+yaml';

/** What a create or an update asks for, and its body. @throws 400, 408, 413, 415, 422. */
export async function writeOf(
  call: ResourceCall,
  kind: 'CreateOptions' | 'UpdateOptions',
): Promise<{ readonly request: WriteRequest; readonly body: Json }> {
  const asked = requestOf(call, writeOptionsOf(call.request.query, kind));
  const request = kind === 'CreateOptions' ? asked : { ...asked, mayCreate: mayCreate(call) };
  const bytes = await call.request.body();
  const { value, duplicates } = decodeWithDuplicates(bytes, call.request.headers['content-type']);
  return { request: withBody(request, bytes, duplicates), body: value };
}

function withBody(request: WriteRequest, bytes: Uint8Array, duplicates: readonly string[]): WriteRequest {
  return { ...request, bodyBytes: bytes.length, ...(duplicates.length === 0 ? {} : { duplicates }) };
}

/** What a patch asks for, and its body. @throws 400, 408, 413, 415, 422. */
export async function patchOf(
  call: ResourceCall,
): Promise<{ readonly request: WriteRequest; readonly body: PatchBody }> {
  const { headers, query } = call.request;
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isStrategic = type === 'application/strategic-merge-patch+json' && call.resource.rules.builtin;
  if (
    !isStrategic &&
    type !== APPLY &&
    type !== 'application/json-patch+json' &&
    type !== 'application/merge-patch+json'
  )
    throw call.resource.rules.builtin ? unsupportedPatch() : unsupported(type, PATCH_TYPES);
  const options = writeOptionsOf(query, 'PatchOptions', patchProblems(query, type));
  const request = { ...requestOf(call, options), mayCreate: mayCreate(call) };
  const bytes = await call.request.body();
  const isJsonPatch = type === 'application/json-patch+json';
  const decoded =
    type === APPLY ? decodeWithDuplicates(bytes, type) : jsonWithDuplicates(bytes, isJsonPatch ? 'json patch ' : '');
  const asked = withBody(request, bytes, decoded.duplicates);
  const body = decoded.value;
  if (type === APPLY) return { request: asked, body: { type: 'apply', body, force: isTrue(query.get('force')) } };
  if (isJsonPatch) return { request: asked, body: { type: 'json', body } };
  return { request: asked, body: { type: isStrategic ? 'strategic' : 'merge', body } };
}

/** Kubernetes' own kinds refuse other types before they are looked at closely. */
function unsupportedPatch(): Error {
  const message = '415: Unsupported Media Type';
  return apiError({ code: 415, reason: 'UnsupportedMediaType', message, details: {} });
}

function patchProblems(query: URLSearchParams, type: string): readonly OptionProblem[] {
  if (type !== APPLY)
    return query.get('force') === null ? [] : [forbiddenOption('force', 'may not be specified for non-apply patch')];
  if ((query.get('fieldManager') ?? '') !== '') return [];
  const message = 'Required value: is required for apply patch';
  return [{ field: 'fieldManager', reason: 'FieldValueRequired', message }];
}

function requestOf(call: ResourceCall, { fieldManager, dryRun, fieldValidation }: WriteOptions): WriteRequest {
  const { request, user, path, resource, version } = call;
  return {
    resource,
    version,
    user,
    namespace: path.namespace ?? '',
    subresource: SUBRESOURCES.find((name) => name === path.subresource),
    manager: fieldManager === '' ? managerOf(request.headers['user-agent']) : fieldManager,
    dryRun,
    fieldValidation,
    options: () => givenOptions(request.query),
  };
}

/** Creating by an update or an apply takes the right to create, as upstream. */
function mayCreate({ engine, user, request, path }: ResourceCall): () => void {
  return () => void requireAllowed(engine.authorizer, user, attributesOf(request, path, 'create'));
}

/** What the caller gave himself: webhooks are told. */
function givenOptions(query: URLSearchParams): JsonObject {
  const given = ['fieldManager', 'fieldValidation'].flatMap((name) => {
    const value = query.get(name) ?? '';
    return value === '' ? [] : [[name, value]];
  });
  return Object.fromEntries(given);
}

/** The name of the program, as `curl` of `curl/8.1`. */
function managerOf(userAgent: string | undefined): string {
  return userAgent?.split('/')[0]?.slice(0, 128) || 'unknown';
}
