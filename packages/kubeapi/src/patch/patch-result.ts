import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';

/** Why a patch was refused: the parts of the Status that answers it. */
export interface PatchRefusal {
  readonly code: 400 | 413 | 422;
  readonly reason: 'BadRequest' | 'RequestEntityTooLarge' | 'Invalid';
  readonly message: string;
  readonly details?: JsonObject;
  /** What really was wrong, for logs; kube-apiserver does not tell it to the client. */
  readonly cause?: string;
}

/** The patched object, or a refusal. Nothing of the input is ever changed. */
export type PatchResult =
  | { readonly ok: true; readonly object: JsonObject }
  | { readonly ok: false; readonly refusal: PatchRefusal };

/** A patch that could be read but does not fit the object. */
export function unprocessable(cause: string): PatchResult {
  const message = 'the server rejected our request due to an error in our request';
  return { ok: false, refusal: { code: 422, reason: 'Invalid', message, details: {}, cause } };
}

/** A patch that is not of the form its content type asks for. */
export function undecodable(patch: Json, wanted: string): PatchResult {
  const message = `error decoding patch: json: cannot unmarshal ${goKindOf(patch)} into Go value of type ${wanted}`;
  return { ok: false, refusal: { code: 400, reason: 'BadRequest', message } };
}

/** A patch that would cost too much. */
export function tooLarge(message: string): PatchResult {
  return { ok: false, refusal: { code: 413, reason: 'RequestEntityTooLarge', message } };
}

function goKindOf(value: Json): string {
  if (Array.isArray(value)) return 'array';
  if (isJsonObject(value)) return 'object';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'number';
}
