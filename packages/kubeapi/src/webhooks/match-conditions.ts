import { apiError } from '@bloomery/kube';
import type { Json, JsonObject } from '@bloomery/model';
import { type Condition, compileCel } from '../cel/index.ts';
import type { AdmissionAttributes } from './admission-attributes.ts';
import type { AdmissionWebhook, MatchCondition } from './admission-webhook.ts';

/** Names that an expression of a webhook's matchConditions may use. */
export const CONDITION_VARIABLES = ['object', 'oldObject', 'request'] as const;

const compiled = new WeakMap<MatchCondition, Condition>();

/**
 * Whether all matchConditions of a webhook hold for a request. One that is false decides; else one that cannot be evaluated
 * lets the webhook be passed over under failurePolicy Ignore.
 *
 * @throws 403 when one cannot be evaluated under failurePolicy Fail.
 */
export function conditionsHold(
  webhook: AdmissionWebhook,
  attributes: AdmissionAttributes,
  request: JsonObject,
): boolean {
  if (webhook.conditions.length === 0) return true;
  const variables: Record<string, Json | undefined> = {
    object: request['object'],
    oldObject: request['oldObject'],
    request,
  };
  const failures: string[] = [];
  for (const condition of webhook.conditions) {
    const program = programOf(condition);
    const result = program.ok ? program.evaluate(variables) : program;
    if (!result.ok) failures.push(result.message);
    else if (!result.value) return false;
  }
  if (failures.length === 0) return true;
  if (webhook.ignoresFailure) return false;
  const { resource, name } = attributes;
  throw apiError({
    code: 403,
    reason: 'Forbidden',
    message: `${resource.id} ${JSON.stringify(name)} is forbidden: ${failures.join(', ')}`,
    details: { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural },
  });
}

function programOf(condition: MatchCondition): Condition {
  let program = compiled.get(condition);
  if (program === undefined) {
    program = compileCel(condition.expression, CONDITION_VARIABLES);
    compiled.set(condition, program);
  }
  return program;
}
