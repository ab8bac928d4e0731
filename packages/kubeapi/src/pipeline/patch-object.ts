import { apiError } from '@bloomery/kube';
import { apiVersionOf, type Json, type JsonObject } from '@bloomery/model';
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, type PatchResult } from '../patch/index.ts';
import { toVersion } from '../registry/resource.ts';
import { goJson, invalid } from '../schema/index.ts';
import { invalidObject, nameMismatch, notFound, unreadablePatch } from './api-status.ts';
import { applyObject } from './apply-object.ts';
import { presentState } from './present-state.ts';
import { replaceObject } from './replace-object.ts';
import { otherType, readBody } from './shape-body.ts';
import type { WriteContext } from './write-context.ts';
import { writeReplicas } from './write-replicas.ts';
import type { WriteRequest, WriteResult } from './write-request.ts';

/** The patch of a PATCH request, by content type. */
export type PatchBody =
  | { readonly type: 'merge' | 'json' | 'strategic'; readonly body: Json }
  | { readonly type: 'apply'; readonly body: Json; readonly force: boolean };

/** PATCH: change an object by a patch of any type. */
export async function patchObject(
  context: WriteContext,
  request: WriteRequest,
  name: string,
  patch: PatchBody,
): Promise<WriteResult> {
  const found = presentState(context, request, name);
  const before = found instanceof Promise ? await found : found;
  if (patch.type === 'apply') return applyObject(context, request, name, before, patch);
  if (before === undefined) throw notFound(request.resource, name);
  if (request.subresource === 'scale')
    return writeReplicas(context, request, name, before, (present) => patched(request, present, patch, name));
  const present = toVersion(request.resource, before, request.version);
  const result = patched(request, present, patch, name);
  refuseRetyping(request, name, result);
  const { object: given, unknownMeta } = readBody(request, result, 'patch');
  if (given.metadata.name !== name) throw nameMismatch(name, given.metadata.name);
  return replaceObject(context, request, { name, before, given, unknownMeta, asPatch: true });
}

function patched(
  request: WriteRequest,
  present: JsonObject,
  patch: Exclude<PatchBody, { type: 'apply' }>,
  name: string,
): JsonObject {
  const result = patchResult(request, present, patch);
  if (result.ok) return result.object;
  const { code, reason, message, details, cause } = result.refusal;
  throw apiError({ code, reason, message, ...(details === undefined ? {} : { details }) }, cause ?? name);
}

function patchResult(
  { version }: WriteRequest,
  present: JsonObject,
  { type, body }: Exclude<PatchBody, { type: 'apply' }>,
): PatchResult {
  switch (type) {
    case 'json':
      return applyJsonPatch(present, body);
    case 'merge':
      return applyMergePatch(present, body);
    case 'strategic':
      return applyStrategicMergePatch(version.schema, present, body);
  }
}

function refuseRetyping(request: WriteRequest, name: string, result: JsonObject): void {
  const { version, resource } = request;
  const wanted = { apiVersion: apiVersionOf(version), kind: version.kind };
  for (const field of ['apiVersion', 'kind'] as const) {
    const value = result[field] ?? '';
    if (value === wanted[field]) continue;
    if (resource.rules.builtin) throw unreadablePatch(result, otherType(request, result));
    if (field === 'kind' && value === '')
      throw unreadablePatch(result, `Object 'Kind' is missing in '${goJson(result)}'`);
    // The Status speaks of what the object would be.
    const group = String(result['apiVersion'] ?? '')
      .split('/')
      .slice(0, -1)
      .join('/');
    const shown = { group, kind: String(result['kind'] ?? '') };
    throw invalidObject(shown, name, [invalid(field, value, `must be ${wanted[field]}`)]);
  }
}
