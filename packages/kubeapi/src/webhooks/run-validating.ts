import { BloomeryError } from '@bloomery/ports';
import type { AdmissionAttributes } from './admission-attributes.ts';
import { deniedBy, withWarnings } from './admission-refusal.ts';
import { type CallDeps, type CallResult, callWebhook } from './call-webhook.ts';
import type { MatchedWebhook } from './webhook-index.ts';

/**
 * Ask validating webhooks, all at the same time. All of them are heard before the write goes on or is refused.
 *
 * @returns what the caller is to be warned of.
 * @throws the first refusal in the order of the webhooks.
 */
export async function runValidating(
  deps: CallDeps,
  matched: readonly MatchedWebhook[],
  attributes: AdmissionAttributes,
): Promise<readonly string[]> {
  const calls = await Promise.allSettled(
    matched.map(async (one) => ({ one, result: await callWebhook(deps, 'validating', one, attributes) })),
  );
  const warnings = calls.flatMap((call) => (call.status === 'fulfilled' ? (call.value.result?.warnings ?? []) : []));
  for (const call of calls) {
    if (call.status === 'rejected')
      throw call.reason instanceof BloomeryError ? withWarnings(call.reason, warnings) : call.reason;
    const { one, result } = call.value;
    if (isDenied(result)) throw withWarnings(deniedBy(one.webhook.name, result.status), warnings);
  }
  return warnings;
}

function isDenied(result: CallResult): result is NonNullable<CallResult> {
  return result !== undefined && !result.allowed;
}
