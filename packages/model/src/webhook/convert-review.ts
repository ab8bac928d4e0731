import { errorText } from '@bloomery/ports';
import type { Json, JsonObject } from '../json.ts';
import type { KindDefinition } from '../kind.ts';
import { apiVersionOf, isJsonObject } from '../kind.ts';

/**
 * Answer a ConversionReview (apiextensions.k8s.io/v1 or v1beta1) for our kinds: every object in the version that is asked for,
 * or a Failure that names the object. Total: a body that is no review gets a Failure too. Pure.
 */
export function answerConversionReview(review: Json, kinds: readonly KindDefinition[]): JsonObject {
  const { apiVersion = 'apiextensions.k8s.io/v1', request } = isJsonObject(review) ? review : {};
  const { uid = '', desiredAPIVersion: wanted, objects } = isJsonObject(request) ? request : {};
  const answer = (response: JsonObject): JsonObject => ({
    apiVersion,
    kind: 'ConversionReview',
    response: { uid, convertedObjects: [], ...response },
  });
  if (typeof wanted !== 'string' || !Array.isArray(objects)) return answer(failure('the body is no ConversionReview'));
  try {
    const convertedObjects = objects.map((object) => convertTo(object, wanted, kinds));
    return answer({ convertedObjects, result: { status: 'Success' } });
  } catch (error) {
    return answer(failure(errorText(error)));
  }
}

function failure(message: string): JsonObject {
  return { result: { status: 'Failure', message } };
}

function convertTo(object: Json, wanted: string, kinds: readonly KindDefinition[]): JsonObject {
  if (!isJsonObject(object)) throw new TypeError('converting: an object of the review is no object');
  const { apiVersion, kind } = object;
  const of = (version: Json | undefined): KindDefinition => {
    const found = kinds.find((k) => k.kind === kind && apiVersionOf(k) === version);
    if (found === undefined) throw new TypeError(`converting ${String(kind)}: there is no version ${String(version)}`);
    return found;
  };
  const [from, to] = [of(apiVersion), of(wanted)];
  const stored = from === to ? object : (from.convert?.toStorage(object) ?? object);
  const shown = from === to ? object : (to.convert?.fromStorage(stored) ?? stored);
  return { ...shown, apiVersion: wanted };
}
