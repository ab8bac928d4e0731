import { invalidMessage } from '../admission-text.ts';
import type { Json, JsonObject } from '../json.ts';
import { jsonEqual } from '../json-equal.ts';
import { stringifyJson } from '../json-text.ts';
import type { FieldProblem, KindDefinition } from '../kind.ts';
import { apiVersionOf, isJsonObject } from '../kind.ts';

/** What a webhook of ours does: fill in defaults, or check. */
export type AdmissionTask = 'default' | 'validate';

/**
 * Answer an AdmissionReview (admission.k8s.io/v1) for our kinds with the defaults or checks that the embedded API runs itself.
 * Kinds that we do not know, and deletions, pass. Total: a body that is no review is denied. Pure.
 */
export function answerAdmissionReview(review: Json, kinds: readonly KindDefinition[], task: AdmissionTask): JsonObject {
  const { apiVersion = 'admission.k8s.io/v1', request } = isJsonObject(review) ? review : {};
  const { uid = '', object, oldObject } = isJsonObject(request) ? request : {};
  const answer = (response: JsonObject): JsonObject => ({
    apiVersion,
    kind: 'AdmissionReview',
    response: { uid, ...response },
  });
  if (!isJsonObject(request)) return answer(denied(400, 'BadRequest', 'the body is no AdmissionReview'));
  const kind = isJsonObject(object) ? kindOf(object, kinds) : undefined;
  if (kind === undefined || !isJsonObject(object)) return answer({ allowed: true });
  const old = isJsonObject(oldObject) ? oldObject : undefined;
  return answer(task === 'default' ? defaulted(kind, object) : checked(kind, object, old));
}

function kindOf(object: JsonObject, kinds: readonly KindDefinition[]): KindDefinition | undefined {
  return kinds.find((k) => k.kind === object['kind'] && apiVersionOf(k) === object['apiVersion']);
}

function defaulted(kind: KindDefinition, object: JsonObject): JsonObject {
  const after = kind.defaults?.(object) ?? object;
  const names = Object.keys({ ...object, ...after }).filter((name) => !jsonEqual(object[name], after[name]));
  if (names.length === 0) return { allowed: true };
  // Whole members: defaults touch little, and a patch of members cannot miss its target.
  const patch = names.map((name) =>
    after[name] === undefined
      ? { op: 'remove', path: `/${name}` }
      : { op: 'add', path: `/${name}`, value: after[name] },
  );
  return { allowed: true, patchType: 'JSONPatch', patch: Buffer.from(stringifyJson(patch)).toString('base64') };
}

function checked(kind: KindDefinition, object: JsonObject, old: JsonObject | undefined): JsonObject {
  const { problems, warnings = [], badRequest } = kind.admit?.(object, old) ?? { problems: [] };
  const said = warnings.length === 0 ? {} : { warnings: [...warnings] };
  if (badRequest !== undefined) return { ...denied(400, 'BadRequest', badRequest), ...said };
  if (problems.length === 0) return { allowed: true, ...said };
  return { ...invalid(kind, object, problems), ...said };
}

function invalid(kind: KindDefinition, object: JsonObject, problems: readonly FieldProblem[]): JsonObject {
  const { metadata } = object;
  const name = isJsonObject(metadata) && typeof metadata['name'] === 'string' ? metadata['name'] : '';
  const causes = problems.map(({ field, reason, message }) => ({ field, reason, message }));
  const { status, allowed } = denied(422, 'Invalid', invalidMessage(kind, name, problems));
  return { allowed, status: { ...status, details: { name, group: kind.group, kind: kind.kind, causes } } };
}

function denied(
  code: number,
  reason: string,
  message: string,
): { readonly allowed: false; readonly status: JsonObject } {
  return { allowed: false, status: { status: 'Failure', code, reason, message } };
}
