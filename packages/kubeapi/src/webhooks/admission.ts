import type { Clock, RandomBytes } from '@bloomery/ports';
import type { ApiObject } from '../api-object.ts';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import type { AdmissionAttributes } from './admission-attributes.ts';
import type { CallDeps, WebhookCall } from './call-webhook.ts';
import type { AdmissionTarget } from './match-rules.ts';
import { type Mutated, runMutating } from './run-mutating.ts';
import { runValidating } from './run-validating.ts';
import type { WebhookClient } from './webhook-client.ts';
import { createWebhookIndex, type MatchedWebhook } from './webhook-index.ts';

/** Asks the mutating webhooks that match a target. `reshape` defaults and prunes what a patch made. */
export type Mutation = (attributes: AdmissionAttributes, reshape: (object: ApiObject) => ApiObject) => Promise<Mutated>;

/** Asks the validating webhooks that match a target; what the caller is to be warned of. */
export type Validation = (attributes: AdmissionAttributes) => Promise<readonly string[]>;

/** Admission webhooks for the write pipeline. */
export interface Admission {
  /** Undefined when no mutating webhook wants to see such a write: then nothing has to be awaited. */
  mutation(target: AdmissionTarget): Mutation | undefined;
  /** Undefined when no validating webhook wants to see such a write. */
  validation(target: AdmissionTarget): Validation | undefined;
  /** Until then no webhook is asked. */
  start(): void;
  stop(): void;
}

export interface AdmissionDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly client: Pick<WebhookClient, 'ask'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly convert: CallDeps['convert'];
  /** Called once for each call of a webhook. */
  readonly observe?: ((call: WebhookCall) => void) | undefined;
}

/** Admission by the webhook configurations in a store. */
export function createAdmission(deps: AdmissionDeps): Admission {
  const { store, registry, client, clock, random, convert, observe } = deps;
  const index = createWebhookIndex(store, registry);
  const labelsOf: CallDeps['labelsOf'] = (name) =>
    store.head({ resource: 'namespaces', namespace: '', name })?.metadata.labels;
  const calls: CallDeps = { client, clock, random, convert, labelsOf, observe };
  let started = false;
  const unlessNone = <T>(matched: readonly MatchedWebhook[], run: T): T | undefined =>
    matched.length === 0 || !started ? undefined : run;
  return {
    mutation(target) {
      const matched = index.find('mutating', target);
      return unlessNone(matched, (attributes, reshape) => runMutating(calls, matched, attributes, reshape));
    },
    validation(target) {
      const matched = index.find('validating', target);
      return unlessNone(matched, (attributes) => runValidating(calls, matched, attributes));
    },
    start() {
      started = true;
    },
    stop: () => index.stop(),
  };
}
