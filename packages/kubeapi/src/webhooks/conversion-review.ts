import { apiVersionOf, isJsonObject, type Json, type JsonObject, type KindDefinition } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { type ApiMeta, type ApiObject, asApiObject } from '../api-object.ts';
import { goJson } from '../schema/index.ts';
import { isLabelKey, KEY_RULE, selectorProblems } from './selector-problems.ts';

/** The 500 of a conversion that failed, without a reason as kube-apiserver answers it. */
export function conversionFailure(message: string, cause?: unknown): BloomeryError {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 };
  return new BloomeryError('BLM_API_WEBHOOK_FAILED', message, {
    retryable: true,
    facts: { status },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `conversion webhook for g/v1, Kind=Thing`: of the version that is converted from. */
export function conversionSubject(object: ApiObject): string {
  return `conversion webhook for ${object.apiVersion}, Kind=${object.kind}`;
}

/** A ConversionReview for objects of one version. */
export function conversionReview(
  version: 'v1' | 'v1beta1',
  uid: string,
  objects: readonly ApiObject[],
  wanted: KindDefinition,
): JsonObject {
  return {
    kind: 'ConversionReview',
    apiVersion: `apiextensions.k8s.io/${version}`,
    request: { uid, desiredAPIVersion: apiVersionOf(wanted), objects },
  };
}

/**
 * Read the answer to a ConversionReview. Of an object's metadata only labels and annotations may be other than before; what else
 * the webhook changed there is put back.
 *
 * @throws BloomeryError BLM_API_WEBHOOK_FAILED, which is also the 500 to answer with.
 */
export function readConversion(
  answer: JsonObject,
  version: 'v1' | 'v1beta1',
  uid: string,
  objects: readonly ApiObject[],
  wanted: KindDefinition,
): readonly ApiObject[] {
  const [first] = objects;
  if (first === undefined) return [];
  const subject = conversionSubject(first);
  const converted = convertedObjects(answer, version, uid, subject);
  if (converted.length !== objects.length)
    throw conversionFailure(`${subject} returned ${converted.length} objects, expected ${objects.length}`);
  return objects.map((object, i) => readObject(object, converted[i] ?? null, i, wanted, subject));
}

function convertedObjects(
  answer: JsonObject,
  version: 'v1' | 'v1beta1',
  uid: string,
  subject: string,
): readonly Json[] {
  const failed = (why: string) => conversionFailure(`${subject} failed: ${why}`);
  const { apiVersion = '', kind = '', response } = answer;
  const expected = `apiextensions.k8s.io/${version}`;
  if (apiVersion !== expected || kind !== 'ConversionReview') {
    const [group = '', name = ''] = String(apiVersion).split('/');
    const got = `${group}/${name}, Kind=${String(kind)}`;
    throw failed(`expected webhook response of ${expected}, Kind=ConversionReview, got ${got}`);
  }
  if (!isJsonObject(response)) throw failed('no response provided');
  if (version === 'v1' && response['uid'] !== uid)
    throw failed(`expected response.uid=${JSON.stringify(uid)}, got ${goJson(response['uid'] ?? '')}`);
  const result = isJsonObject(response['result']) ? response['result'] : {};
  const { status = '', message } = result;
  if (status !== 'Success')
    throw failed(
      typeof message === 'string' && message !== ''
        ? message
        : `response.result.status was '${String(status)}', not 'Success'`,
    );
  return Array.isArray(response['convertedObjects']) ? response['convertedObjects'] : [];
}

function readObject(before: ApiObject, after: Json, index: number, wanted: KindDefinition, subject: string): ApiObject {
  const invalid = (why: string) => conversionFailure(`${subject} returned invalid object at index ${index}: ${why}`);
  if (!isJsonObject(after)) throw invalid('it is no object');
  const apiVersion = apiVersionOf(wanted);
  if (after['apiVersion'] !== apiVersion)
    throw invalid(`invalid groupVersion (expected ${apiVersion}, received ${String(after['apiVersion'] ?? '')})`);
  if (after['kind'] !== before.kind)
    throw invalid(`invalid kind (expected ${before.kind}, received ${String(after['kind'] ?? '')})`);
  const metadata = isJsonObject(after['metadata']) ? after['metadata'] : {};
  checkSame(before.metadata, metadata, subject);
  const { labels: _, annotations: __, ...kept } = before.metadata;
  const restored: JsonObject = {
    ...kept,
    ...textMap(metadata, 'labels', subject),
    ...textMap(metadata, 'annotations', subject),
  };
  return asApiObject({ ...after, metadata: restored });
}

function checkSame(before: ApiMeta, after: JsonObject, subject: string): void {
  for (const [field, name] of SAME) {
    const [was = '', is = ''] = [before[field], after[field]];
    if (was !== is)
      throw conversionFailure(
        `${subject} returned invalid object: must have the same ${name}: ${was} != ${String(is)}`,
      );
  }
}

const SAME = [
  ['name', 'name'],
  ['namespace', 'namespace'],
  ['uid', 'UID'],
] as const;

function textMap(metadata: JsonObject, field: 'labels' | 'annotations', subject: string): JsonObject {
  const value = metadata[field];
  if (!isJsonObject(value) || Object.keys(value).length === 0) return {};
  const refuse = (why: string) => conversionFailure(`${subject} returned invalid metadata: ${why}`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') throw refuse(`metadata.${field}[${key}] must be a string in converted object`);
    if (!isLabelKey(field === 'labels' ? key : key.toLowerCase()))
      throw refuse(`metadata.${field}: Invalid value: ${JSON.stringify(key)}: ${KEY_RULE}`);
  }
  const [problem] = field === 'labels' ? selectorProblems({ matchLabels: value }, 'metadata.labels') : [];
  if (problem !== undefined) throw refuse(`metadata.labels: ${problem.message}`);
  return { [field]: value };
}
