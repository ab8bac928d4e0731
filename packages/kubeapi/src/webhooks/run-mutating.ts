import { type JsonObject, jsonEqual } from '@bloomery/model';
import { type ApiObject, asApiObject } from '../api-object.ts';
import { applyJsonPatch } from '../patch/index.ts';
import type { AdmissionAttributes } from './admission-attributes.ts';
import { deniedBy, internalError, withWarnings } from './admission-refusal.ts';
import { type CallDeps, callWebhook } from './call-webhook.ts';
import type { MatchedWebhook } from './webhook-index.ts';

/** A write after the webhooks had their say. */
export interface Mutated {
  readonly object: ApiObject | undefined;
  readonly warnings: readonly string[];
}

/**
 * Ask mutating webhooks one after the other; each sees what those before it made of the object. When one has changed it, those
 * before it with reinvocationPolicy IfNeeded are asked once more in the end.
 *
 * @param reshape defaults and prunes the object of the request's version after a patch; throws to refuse it.
 * @throws the first denial, or 500 for a webhook that could not be asked.
 */
export async function runMutating(
  deps: CallDeps,
  matched: readonly MatchedWebhook[],
  attributes: AdmissionAttributes,
  reshape: (object: ApiObject) => ApiObject,
): Promise<Mutated> {
  const warnings: string[] = [];
  let { object } = attributes;
  /** Those that may want to be asked once more, since the last change; and those that will be. */
  const asked = new Set<string>();
  const again = new Set<string>();

  async function ask(one: MatchedWebhook): Promise<void> {
    const { webhook } = one;
    const result = await callWebhook(deps, 'mutating', one, { ...attributes, object });
    if (result === undefined) return;
    warnings.push(...result.warnings);
    if (!result.allowed) throw withWarnings(deniedBy(webhook.name, result.status), warnings);
    const next = await patched(deps, one, attributes, result.object, result.patch);
    if (next !== undefined && object !== undefined) {
      const before = object;
      object = attributes.subresource === 'scale' ? next : reshape(next);
      if (!jsonEqual(before, object)) {
        for (const key of asked) again.add(key);
        asked.clear();
      }
    }
    if (webhook.reinvoked) asked.add(webhook.key);
  }

  for (const one of matched) await ask(one);
  // Changes on the way add those that come later in this round.
  for (const one of matched) if (again.has(one.webhook.key)) await ask(one);
  return { object, warnings };
}

/** The patched object in the version of the request; undefined when nothing is patched. */
async function patched(
  deps: CallDeps,
  { webhook, version }: MatchedWebhook,
  attributes: AdmissionAttributes,
  shown: ApiObject | undefined,
  patch: Parameters<typeof applyJsonPatch>[1] | undefined,
): Promise<ApiObject | undefined> {
  if (patch === undefined) return undefined;
  if (shown === undefined) {
    const who = `admission webhook ${JSON.stringify(webhook.name)}`;
    throw internalError(`${who} attempted to modify the object, which is not supported for this operation`);
  }
  const result = applyJsonPatch(shown, patch);
  if (!result.ok) throw internalError(result.refusal.cause ?? result.refusal.message);
  const object = sameKind(shown, result.object);
  if (version === attributes.version || attributes.subresource === 'scale') return object;
  return deps.convert(attributes.resource, object, attributes.version);
}

function sameKind(shown: ApiObject, object: JsonObject): ApiObject {
  for (const field of ['apiVersion', 'kind'] as const) {
    if (object[field] !== shown[field])
      throw internalError(`the patch changes ${field} from ${shown[field]} to ${String(object[field])}`);
  }
  return asApiObject(object);
}
