import type { Clock, RandomBytes } from '@bloomery/ports';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { type Admission, createAdmission } from './admission.ts';
import type { WebhookCall } from './call-webhook.ts';
import type { Conversions } from './conversions.ts';
import { createWebhookClient } from './webhook-client.ts';
import { createConversions } from './webhook-conversions.ts';

/** All that asks webhooks: over one client. */
export interface Webhooks {
  readonly admission: Admission;
  readonly conversions: Conversions;
  stop(): void;
}

/** Make admission and conversions for a store. */
export function createWebhooks(deps: {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly observe?: ((call: WebhookCall) => void) | undefined;
}): Webhooks {
  const client = createWebhookClient(deps.store, deps.clock);
  const conversions = createConversions(client, deps.random);
  const admission = createAdmission({ ...deps, client, convert: conversions.convert });
  return {
    admission,
    conversions,
    stop() {
      admission.stop();
      client.close();
    },
  };
}
