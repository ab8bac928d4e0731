import { apiError } from '@bloomery/kube';
import type { FieldProblem, Json, JsonObject } from '@bloomery/model';
import type { BloomeryError } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import { type Resource, resourceId } from '../registry/resource.ts';
import { goJson, NO_FIELD, problemsText } from '../schema/index.ts';

/** `widgets.example.com "x" not found` */
export function notFound(resource: Pick<Resource, 'id' | 'group' | 'plural'>, name: string): BloomeryError {
  return apiError({
    code: 404,
    reason: 'NotFound',
    message: `${resourceId(resource)} "${name}" not found`,
    details: details(resource, name),
  });
}

/** `widgets.example.com "x" already exists`, and whether that one is being deleted. */
export function alreadyExists(resource: Resource, name: string, present?: ApiObject): BloomeryError {
  const dying = present?.metadata.deletionTimestamp === undefined ? '' : 'object is being deleted: ';
  return apiError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${dying}${resourceId(resource)} "${name}" already exists`,
    details: details(resource, name),
  });
}

/** A write that was based on another state than the present one. */
export function conflict(
  resource: Pick<Resource, 'id' | 'group' | 'plural'>,
  name: string,
  why = MODIFIED,
): BloomeryError {
  const message = `Operation cannot be fulfilled on ${resourceId(resource)} "${name}": ${why}`;
  return apiError({ code: 409, reason: 'Conflict', message, details: details(resource, name) });
}

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again';

/** Problems of one refusal are told up to this many characters; the first is told anyway. */
const MAX_TOLD = 1024 * 1024;

/** The first problems, and how many more there are: an object may have more mistakes than a refusal can hold. */
function toldProblems(problems: readonly FieldProblem[]): readonly FieldProblem[] {
  let told = 0;
  const end = problems.findIndex(({ field, message }, at) => {
    told += field.length + message.length;
    return at > 0 && told > MAX_TOLD;
  });
  if (end < 0) return problems;
  const message = `${problems.length - end} more problems`;
  return [...problems.slice(0, end), { field: NO_FIELD, reason: 'FieldValueInvalid', message }];
}

/** 422 with a cause for each problem. It names the group that objects are stored in, as kube-apiserver does. */
export function invalidObject(
  resource: Pick<Resource, 'group' | 'kind'> & Partial<Pick<Resource, 'storage'>>,
  name: string,
  problems: readonly FieldProblem[],
): BloomeryError {
  const group = resource.storage?.group ?? resource.group;
  const kind = group === '' ? resource.kind : `${resource.kind}.${group}`;
  const told = toldProblems(problems);
  return apiError({
    code: 422,
    reason: 'Invalid',
    message: `${kind} "${name}" is invalid: ${problemsText(told)}`,
    details: {
      ...(name === '' || name === undefined ? {} : { name }),
      ...(group === '' ? {} : { group }),
      kind: resource.kind,
      causes: told.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  });
}

/** 400. */
export function badRequest(message: string): BloomeryError {
  return apiError({ code: 400, reason: 'BadRequest', message });
}

/** 400 for a body whose name is not, or not that of, its address. */
export function nameMismatch(name: string, given: string | undefined): BloomeryError {
  if ((given ?? '') === '')
    return badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  return badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

/** 422 for a patch whose result cannot be read as an object of its kind: it names no object. */
export function unreadablePatch(patched: Json, why: string): BloomeryError {
  const message = `Invalid value: ${JSON.stringify(goJson(patched))}: ${why}`;
  const cause = { reason: 'FieldValueInvalid', message, field: 'patch' };
  return apiError({
    code: 422,
    reason: 'Invalid',
    message: ` "" is invalid: patch: ${message}`,
    details: { causes: [cause] },
  });
}

/** 410: the asked revision is no longer kept. */
export function expired(asked: string, oldest: number): BloomeryError {
  return apiError({ code: 410, reason: 'Expired', message: `too old resource version: ${asked} (${oldest})` });
}

/** 504 with the cause that makes clients try again. */
export function futureRevision(asked: number, current: number) {
  return apiError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });
}

/** 403 of admission, not of authorisation. */
export function forbiddenBecause(resource: Resource, name: string, why: string, extra: JsonObject = {}): BloomeryError {
  return apiError({
    code: 403,
    reason: 'Forbidden',
    message: `${resourceId(resource)} "${name}" is forbidden: ${why}`,
    details: { ...details(resource, name), ...extra },
  });
}

/** 404 of an address that nothing is served at. */
export function noSuchResource(): BloomeryError {
  const message = 'the server could not find the requested resource';
  return apiError({ code: 404, reason: 'NotFound', message, details: {} });
}

/** 405. */
export function methodNotAllowed(
  message = 'the server does not allow this method on the requested resource',
  details: JsonObject = {},
): BloomeryError {
  return apiError({ code: 405, reason: 'MethodNotAllowed', message, details });
}

function details(resource: Pick<Resource, 'group' | 'plural'>, name: string): JsonObject {
  return { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural };
}
