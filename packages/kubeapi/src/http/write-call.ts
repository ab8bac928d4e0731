import { apiError } from '@bloomery/kube';
import type { Json } from '@bloomery/model';
import { forbiddenOption, type OptionProblem } from '../pipeline/invalid-options.ts';
import type { PatchBody } from '../pipeline/patch-object.ts';
import type { WriteRequest } from '../pipeline/write-request.ts';
import { decodeBody, decodeJson, unsupported } from './read-body.ts';
import { isTrue, type ResourceCall } from './resource-call.ts';
import { type WriteOptions, writeOptionsOf } from './write-options.ts';

const SUBRESOURCES = ['status', 'scale', 'finalize'] as const;
const PATCH_TYPES = 'application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml';
const APPLY = 'application/apply-patch+yaml';

/** What a create or an update asks for. @throws 422. */
export function writeRequestOf(call: ResourceCall, kind: 'CreateOptions' | 'UpdateOptions'): WriteRequest {
  return requestOf(call, writeOptionsOf(call.request.query, kind));
}

/** The body of a create or an update. @throws 400, 408, 413, 415. */
export async function writeBodyOf(call: ResourceCall): Promise<Json> {
  return decodeBody(await call.request.body(), call.request.headers['content-type']);
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
  const request = requestOf(call, options);
  const bytes = await call.request.body();
  switch (type) {
    case 'application/json-patch+json':
      return { request, body: { type: 'json', body: decodeJson(bytes) } };
    case 'application/merge-patch+json':
      return { request, body: { type: 'merge', body: decodeJson(bytes) } };
    case APPLY:
      return { request, body: { type: 'apply', body: decodeBody(bytes, type), force: isTrue(query.get('force')) } };
    default:
      return { request, body: { type: 'strategic', body: decodeJson(bytes) } };
  }
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
  };
}

/** The name of the program, as `curl` of `curl/8.1`. */
function managerOf(userAgent: string | undefined): string {
  return userAgent?.split('/')[0]?.slice(0, 128) ?? 'unknown';
}
