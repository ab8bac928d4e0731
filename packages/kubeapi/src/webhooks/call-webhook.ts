import type { JsonObject } from '@bloomery/model';
import { type Clock, errorText, type RandomBytes } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import { freshUid } from '../pipeline/fresh-name.ts';
import type { AdmissionAttributes } from './admission-attributes.ts';
import { failedCalling } from './admission-refusal.ts';
import { type AdmissionResponse, admissionReview, readResponse, reviewRequest } from './admission-review.ts';
import { conditionsHold } from './match-conditions.ts';
import { checkDryRun, isSelected, type NamespaceLabels } from './select-webhooks.ts';
import type { WebhookClient } from './webhook-client.ts';
import { webhookFailure } from './webhook-failure.ts';
import type { MatchedWebhook, WebhookKind } from './webhook-index.ts';

/** One call of an admission webhook, for metrics. */
export interface WebhookCall {
  readonly webhook: string;
  /** As kube-apiserver's metrics name it. */
  readonly type: 'admit' | 'validating';
  readonly operation: AdmissionAttributes['operation'];
  readonly outcome: 'allowed' | 'denied' | 'failed';
  /** It could not be asked, and its failurePolicy is Ignore. */
  readonly passedOver: boolean;
  readonly durationMs: number;
}

export interface CallDeps {
  readonly client: Pick<WebhookClient, 'ask'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly labelsOf: NamespaceLabels;
  /** An object in another version of its kind. */
  readonly convert: (
    resource: AdmissionAttributes['resource'],
    object: ApiObject,
    to: MatchedWebhook['version'],
  ) => ApiObject | Promise<ApiObject>;
  readonly observe?: ((call: WebhookCall) => void) | undefined;
}

/** What a webhook made of a write: undefined when it was not asked, or could not be asked and that is to be ignored. */
export type CallResult = (AdmissionResponse & { readonly object: ApiObject | undefined }) | undefined;

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/**
 * Ask one webhook about a write. The `object` of the result is the one that it was shown, in its version.
 *
 * @throws the denial as an API error, 500 when the webhook could not be asked, 400 when it does not support a dry run.
 */
export async function callWebhook(
  deps: CallDeps,
  kind: WebhookKind,
  matched: MatchedWebhook,
  attributes: AdmissionAttributes,
): Promise<CallResult> {
  const { webhook, version } = matched;
  if (!isSelected(webhook, attributes, deps.labelsOf)) return undefined;
  const object = await shownAs(deps, attributes, version, attributes.object);
  const oldObject = await shownAs(deps, attributes, version, attributes.oldObject);
  const uid = freshUid(deps.random);
  const request = reviewRequest(uid, attributes, version, { object, oldObject });
  if (!conditionsHold(webhook, attributes, request)) return undefined;
  checkDryRun(webhook, attributes);
  const startMs = deps.clock.nowMs();
  const seen = (outcome: WebhookCall['outcome'], passedOver = false): void =>
    deps.observe?.({
      webhook: webhook.name,
      type: kind === 'mutating' ? 'admit' : 'validating',
      operation: attributes.operation,
      outcome,
      passedOver,
      durationMs: deps.clock.nowMs() - startMs,
    });
  let response: AdmissionResponse;
  try {
    response = await responseOf(deps, kind, matched, request, uid);
  } catch (error) {
    seen('failed', webhook.ignoresFailure);
    if (webhook.ignoresFailure) return undefined;
    throw failedCalling(webhook.name, errorText(error), error);
  }
  seen(response.allowed ? 'allowed' : 'denied');
  return { ...response, object };
}

async function responseOf(
  { client }: CallDeps,
  kind: WebhookKind,
  { webhook }: MatchedWebhook,
  request: JsonObject,
  uid: string,
): Promise<AdmissionResponse> {
  const { config, timeoutSeconds, reviewVersion } = webhook;
  const body = admissionReview(reviewVersion, request);
  let answer: JsonObject;
  try {
    answer = await client.ask({ config, body, timeoutSeconds, maxAnswerBytes: MAX_ANSWER_BYTES });
  } catch (error) {
    throw webhookFailure(`failed to call webhook: ${errorText(error)}`, error);
  }
  return readResponse(answer, uid, reviewVersion, kind === 'mutating');
}

async function shownAs(
  { convert }: CallDeps,
  { resource, version, subresource }: AdmissionAttributes,
  wanted: MatchedWebhook['version'],
  object: ApiObject | undefined,
): Promise<ApiObject | undefined> {
  if (object === undefined || wanted === version || subresource === 'scale') return object;
  return convert(resource, object, wanted);
}
