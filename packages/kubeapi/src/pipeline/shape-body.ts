import {
  type Admission,
  apiVersionOf,
  builtinKinds,
  isJsonObject,
  type Json,
  type JsonObject,
  stringifyJson,
} from '@bloomery/model';
import { type ApiMeta, type ApiObject, asApiObject } from '../api-object.ts';
import { invalid, processObject, shapeObjectMeta, unreadableField, validateScale } from '../schema/index.ts';
import { badRequest, invalidObject, unreadablePatch } from './api-status.ts';
import { tooManyDefaults } from './size-limit.ts';
import type { WriteRequest } from './write-request.ts';

/** A request body brought into shape, with what the caller should be warned of. */
export interface ShapedBody {
  readonly object: ApiObject;
  readonly warnings: readonly string[];
}

/**
 * Check type and namespace of a body, bring its metadata into shape. Name and resourceVersion are not judged here.
 *
 * @param sentAs what the body is: the object itself, or the result of a patch, whose refusals read differently.
 * @throws 400 for another kind, version or namespace than the address says, or unreadable metadata.
 */
export function readBody(
  request: WriteRequest,
  body: Json,
  sentAs: 'body' | 'patch' = 'body',
): { readonly object: ApiObject; readonly unknownMeta: readonly string[] } {
  const { version } = request;
  if (!isJsonObject(body)) throw badRequest(`the object provided is unrecognized (must be of type ${version.kind})`);
  const apiVersion = apiVersionOf(version);
  if (!request.resource.rules.builtin && (body['kind'] ?? '') === '') {
    const json = stringifyJson(body);
    const start = json.length > 30 ? `${json.slice(0, 30)} ...` : json;
    throw badRequest(
      `the object provided is unrecognized (must be of type ${version.kind}): Object 'Kind' is missing in '${json}' (${start})`,
    );
  }
  const given = { apiVersion: body['apiVersion'] ?? apiVersion, kind: body['kind'] ?? version.kind };
  if (given.apiVersion !== apiVersion) {
    if (request.resource.rules.builtin)
      throw undecodable(request, otherType(request, given), String(given.kind), apiVersionPart(given.apiVersion));
    throw badRequest(
      `the API version in the data (${String(given.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (!request.resource.rules.builtin && given.kind !== version.kind) {
    const name = isJsonObject(body['metadata']) ? String(body['metadata']['name'] ?? '') : '';
    throw invalidObject({ group: request.resource.group, kind: String(given.kind) }, name, [
      invalid('kind', given.kind, `must be ${version.kind}`),
    ]);
  }
  if (given.kind !== version.kind) {
    throw undecodable(request, otherType(request, given), String(given.kind), version.version);
  }
  const meta = shapeObjectMeta(body['metadata']);
  if (!meta.ok) {
    // Custom resources have their metadata read apart from the rest.
    const why = request.resource.rules.builtin
      ? meta.message
      : meta.message.replace('ObjectMeta.metadata.', 'ObjectMeta.');
    throw sentAs === 'patch' ? unreadablePatch(body, why) : undecodable(request, why);
  }
  const namespace = meta.metadata['namespace'];
  if (request.namespace !== '' && namespace !== undefined && namespace !== request.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const { namespace: _, selfLink: __, ...rest } = meta.metadata;
  const metadata = { ...rest, ...(request.namespace === '' ? {} : { namespace: request.namespace }) };
  const object = { ...body, apiVersion, kind: version.kind, metadata: metadata as ApiMeta } as ApiObject;
  return { object, unknownMeta: meta.unknownFields };
}

/**
 * Default, prune and validate against the schema of the caller's version, then ask the kind's own checks.
 *
 * @throws 422 with every problem, 400 for unknown fields under Strict.
 */
export function shapeObject(
  request: WriteRequest,
  object: ApiObject,
  old: ApiObject | undefined,
  unknownMeta: readonly string[],
  asPatch: boolean,
): ShapedBody {
  const { version, resource } = request;
  const why = unreadableWhy(request, object);
  if (why !== undefined) throw asPatch ? unreadablePatch(object, why) : undecodable(request, why);
  const defaulted = version.defaults?.(object, old) ?? object;
  const processed = processObject(version.schema, defaulted, {
    // Kubernetes' own kinds are read into structures, in which a null is nothing.
    dropNulls: request.applied !== true || resource.rules.builtin,
    old: resource.rules.builtin ? undefined : old,
    lists: !resource.rules.builtin,
    part: request.subresource === 'status' && !resource.rules.builtin ? 'status' : undefined,
  });
  if (processed.defaultsEnd) throw tooManyDefaults();
  const warnings = judgeUnknown(request, object, unknownInOrder(unknownMeta, processed.unknownFields), asPatch);
  const replicas = request.subresource === 'status' ? 'statusReplicasPath' : 'specReplicasPath';
  const scaled = version.scale === undefined ? [] : validateScale(processed.object, version.scale[replicas]);
  const problems = [...processed.problems, ...scaled];
  if (problems.length > 0) throw invalidObject(resource, object.metadata.name, problems);
  const admission: Admission | undefined = version.admit?.(processed.object, old);
  if (admission?.badRequest !== undefined) throw badRequest(admission.badRequest);
  if (admission !== undefined && admission.problems.length > 0) {
    throw invalidObject(resource, object.metadata.name, admission.problems);
  }
  return { object: asApiObject(processed.object), warnings: [...warnings, ...(admission?.warnings ?? [])] };
}

/**
 * Default and prune what a caller sent, without validating it: what mutating webhooks see.
 *
 * @throws 400 for unknown fields under Strict and for what cannot be read.
 */
export function readWish(
  request: WriteRequest,
  object: ApiObject,
  unknownMeta: readonly string[],
  asPatch: boolean,
): ShapedBody {
  const { version, applied } = request;
  const why = unreadableWhy(request, object);
  if (why !== undefined) throw asPatch ? unreadablePatch(object, why) : undecodable(request, why);
  const defaulted = version.defaults?.(object) ?? object;
  const read = processObject(version.schema, defaulted, { validate: false, dropNulls: applied !== true });
  if (read.defaultsEnd) throw tooManyDefaults();
  const warnings = judgeUnknown(request, object, unknownInOrder(unknownMeta, read.unknownFields), asPatch);
  return { object: asApiObject(read.object), warnings };
}

/** Why an object of a built-in kind cannot be read at all; undefined when it can. */
export function unreadableWhy({ version, resource }: WriteRequest, object: ApiObject): string | undefined {
  return resource.rules.builtin ? unreadableField(version.schema, object, version.kind) : undefined;
}

/** Metadata is read before the rest. */
function unknownInOrder(inMetadata: readonly string[], others: readonly string[]): readonly string[] {
  return [...inMetadata].sort().concat([...others].sort());
}

function judgeUnknown(
  request: WriteRequest,
  object: ApiObject,
  fields: readonly string[],
  asPatch: boolean,
): readonly string[] {
  const unknown = [...new Set(fields)];
  const { duplicates = [], fieldValidation } = request;
  if (fieldValidation === 'Ignore' || (unknown.length === 0 && duplicates.length === 0)) return [];
  const complaints = [...duplicates, ...unknown.map((field) => `unknown field "${field}"`)];
  if (fieldValidation === 'Strict') throw strictError(request, object, complaints, asPatch);
  return complaints;
}

/** Default and prune only: for the ownership of what a request asks for but its endpoint does not change. */
export function shapeOnly({ version }: WriteRequest, object: ApiObject): ApiObject {
  const defaulted = version.defaults?.(object) ?? object;
  const read = processObject(version.schema, defaulted, { validate: false });
  if (read.defaultsEnd) throw tooManyDefaults();
  return asApiObject(read.object);
}

function undecodable({ version: wanted }: WriteRequest, why: string, kind = wanted.kind, version = wanted.version) {
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${wanted.kind}: ${why}`);
}

/** Lines of YAML are told as the YAML reader of Go tells them. */
function complaintText(complaints: readonly string[]): string {
  const lines = complaints.filter((complaint) => complaint.startsWith('line '));
  const others = complaints.filter((complaint) => !complaint.startsWith('line '));
  return [...(lines.length === 0 ? [] : [`yaml: unmarshal errors:\n  ${lines.join('\n  ')}`]), ...others].join(', ');
}

/** Why an object of another type is none of a built-in kind. */
export function otherType({ version: wanted, resource }: WriteRequest, given: JsonObject): string {
  const kind = String(given['kind'] ?? '');
  const apiVersion = String(given['apiVersion'] ?? '');
  if (apiVersion !== apiVersionOf(wanted) || !CORE_KINDS.has(kind))
    return `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:110"`;
  const internal = resource.group === '' ? 'core' : (resource.group.split('.')[0] ?? '');
  return `converting (${wanted.version}.${kind}) to (${internal}.${wanted.kind}): unknown conversion`;
}

/** Kinds that a body may be of where another is wanted. */
const CORE_KINDS: ReadonlySet<string> = new Set(builtinKinds.map(({ kind }) => kind));

const apiVersionPart = (apiVersion: Json): string => String(apiVersion).split('/').at(-1) ?? '';

function strictError(request: WriteRequest, object: ApiObject, complaints: readonly string[], asPatch: boolean) {
  const list = complaintText(complaints);
  const why = `strict decoding error: ${list}`;
  return asPatch ? unreadablePatch(object, why) : undecodable(request, why);
}
