import type { JsonObject } from '@bloomery/model';
import { type ApiObject, withMeta } from '../api-object.ts';
import { decodeManagedFields } from '../apply/managed-fields.ts';
import type { Mutation } from '../webhooks/admission.ts';
import { internalError } from '../webhooks/admission-refusal.ts';
import type { AdmissionTarget } from '../webhooks/match-rules.ts';
import { attributesOf } from './admission-attributes-of.ts';
import { readBody, readWish, shapeOnly, unreadableWhy } from './shape-body.ts';
import type { Wish } from './wish.ts';
import type { WriteRequest } from './write-request.ts';

const FIELDS_SPOILT =
  '.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests';

/**
 * Let mutating webhooks change what a request wants. They see it as the caller sent it, with defaults and managedFields; it is
 * not validated yet.
 *
 * @param own the managedFields for what was sent.
 * @returns the wish that takes its place: its managedFields are in it.
 */
export async function mutateWish(
  mutation: Mutation,
  target: AdmissionTarget,
  wish: Wish,
  own: (object: ApiObject) => ApiObject | Promise<ApiObject>,
  more: { readonly name: string; readonly present: ApiObject | undefined; readonly asPatch: boolean },
): Promise<Wish> {
  const { request, given, unknownMeta } = wish;
  const { name, present, asPatch } = more;
  const read = readWish(request, given, unknownMeta, asPatch);
  const sent = await own(read.object);
  const attributes = attributesOf(request, target, name, { object: sent, oldObject: present });
  const result = await mutation(attributes, (object) => reshaped(request, object));
  const { object: next, unknownMeta: _ } = readBody(request, result.object ?? sent);
  const { managedFields } = next.metadata;
  const isSpoilt = decodeManagedFields(managedFields) === undefined;
  const entries = isSpoilt ? sent.metadata.managedFields : managedFields;
  return {
    request: { ...request, fieldValidation: 'Ignore' },
    given: withMeta(next, { managedFields: entries }),
    unknownMeta: [],
    own: (object) => withMeta(object, { managedFields: entries }),
    warnings: [
      ...wish.warnings,
      ...read.warnings,
      ...result.warnings,
      ...(isSpoilt ? [`${FIELDS_SPOILT}: ${spoiltWhy(managedFields ?? [])}`] : []),
    ],
  };
}

function spoiltWhy(entries: readonly JsonObject[]): string {
  const isKnown = entries.every(({ operation }) => operation === 'Apply' || operation === 'Update');
  return isKnown ? 'an entry cannot be read' : 'operation must be `Apply` or `Update`';
}

function reshaped(request: WriteRequest, object: ApiObject): ApiObject {
  const why = unreadableWhy(request, object);
  if (why !== undefined) throw internalError(why);
  return shapeOnly(request, object);
}
