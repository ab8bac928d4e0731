import { isJsonObject, type Json, type JsonObject, type KindDefinition, parseJson } from '@bloomery/model';
import { errorText } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import { goJson } from '../schema/index.ts';
import type { AdmissionAttributes } from './admission-attributes.ts';
import { webhookFailure } from './webhook-failure.ts';

/** What a webhook said. */
export interface AdmissionResponse {
  readonly allowed: boolean;
  /** The Status of a denial, as the webhook gave it. */
  readonly status: JsonObject;
  readonly warnings: readonly string[];
  /** A JSON patch; undefined for none. */
  readonly patch: Json | undefined;
}

type ReviewVersion = 'v1' | 'v1beta1';

/**
 * The `request` of an AdmissionReview.
 *
 * @param matched the version that the webhook's rules ask for; the objects must be in it.
 */
export function reviewRequest(
  uid: string,
  attributes: AdmissionAttributes,
  matched: KindDefinition,
  objects: { readonly object: ApiObject | undefined; readonly oldObject: ApiObject | undefined },
): JsonObject {
  const { version, subresource, name, namespace, operation, user, dryRun, options } = attributes;
  const { name: username, uid: userUid, groups, extra } = user;
  return {
    uid,
    kind: kindOf(matched, subresource),
    resource: resourceOf(matched),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: kindOf(version, subresource),
    requestResource: resourceOf(version),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: { username, uid: userUid, groups, extra },
    object: objects.object ?? null,
    oldObject: objects.oldObject ?? null,
    dryRun,
    options,
  };
}

/** A whole AdmissionReview around a request. */
export function admissionReview(version: ReviewVersion, request: JsonObject): JsonObject {
  return { kind: 'AdmissionReview', apiVersion: `admission.k8s.io/${version}`, request };
}

/**
 * Read the answer of a webhook to the review with this uid.
 *
 * @throws BloomeryError BLM_API_WEBHOOK_FAILED in kube-apiserver's words when it is no such answer.
 */
export function readResponse(
  answer: JsonObject,
  uid: string,
  version: ReviewVersion,
  mutating: boolean,
): AdmissionResponse {
  const { response } = answer;
  if (!isJsonObject(response)) throw notValid('webhook response was absent');
  const wanted = `admission.k8s.io/${version}`;
  const { apiVersion = '', kind = '' } = answer;
  if (version === 'v1' && (apiVersion !== wanted || kind !== 'AdmissionReview')) {
    const [group = '', name = ''] = String(apiVersion).split('/');
    const got = `${group}/${name}, Kind=${String(kind)}`;
    throw notValid(`expected webhook response of ${wanted}, Kind=AdmissionReview, got ${got}`);
  }
  const { allowed, status, warnings, patch, patchType } = response;
  if (version === 'v1' && response['uid'] !== uid) {
    const got = goJson(response['uid'] ?? '');
    throw notValid(`expected response.uid=${JSON.stringify(uid)}, got ${got}`);
  }
  if (typeof (allowed ?? false) !== 'boolean') throw notOfType('allowed', 'bool');
  if (patch !== undefined && patch !== null && typeof patch !== 'string') throw notOfType('patch', 'uint8');
  return {
    allowed: allowed === true,
    status: isJsonObject(status) ? status : {},
    warnings: Array.isArray(warnings) ? warnings.filter(isWarning) : [],
    patch: mutating ? readPatch(patch ?? '', patchType ?? '', version) : noPatch(patch ?? '', patchType ?? ''),
  };
}

/** Texts with control characters cannot be told in a header; kube-apiserver drops them. */
function isWarning(text: Json): text is string {
  return typeof text === 'string' && !/\p{Cc}/u.test(text);
}

function readPatch(patch: string, patchType: Json, version: ReviewVersion): Json | undefined {
  if (version === 'v1' && patch === '' && patchType !== '')
    throw notValid('webhook returned response.patchType but not response.patch');
  if (version === 'v1' && patch !== '' && patchType === '')
    throw notValid('webhook returned response.patch but not response.patchType');
  if (patch === '') return undefined;
  const bytes = Buffer.from(patch, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') !== patch.replace(/=+$/, ''))
    throw webhookFailure('failed to call webhook: illegal base64 data in response.patch');
  try {
    return parseJson(bytes.toString('utf8'));
  } catch (error) {
    throw webhookFailure(`received undecodable patch in webhook response: ${errorText(error)}`, error);
  }
}

function noPatch(patch: string, patchType: Json): undefined {
  if (patch !== '') throw notValid('validating webhook may not return response.patch');
  if (patchType !== '') throw notValid('validating webhook may not return response.patchType');
}

function kindOf(version: KindDefinition, subresource: string): JsonObject {
  if (subresource === 'scale') return { group: 'autoscaling', version: 'v1', kind: 'Scale' };
  return { group: version.group, version: version.version, kind: version.kind };
}

function resourceOf({ group, version, plural }: KindDefinition): JsonObject {
  return { group, version, resource: plural };
}

function notValid(why: string) {
  return webhookFailure(`received invalid webhook response: ${why}`);
}

function notOfType(field: string, type: string) {
  return webhookFailure(
    `failed to call webhook: json: cannot unmarshal into Go struct field AdmissionResponse.response.${field} of type ${type}`,
  );
}
