import type { ObjectClient } from '@bloomery/kube';
import type { KindDefinition } from '@bloomery/model';
import { type Clock, isBloomeryError, type Logger, type RandomBytes } from '@bloomery/ports';
import { type Authorizer, createAuthorizer } from './auth/authorize.ts';
import { startRoleAggregation } from './auth/rbac/aggregate-roles.ts';
import { reconcileBootstrapPolicy } from './auth/rbac/bootstrap-policy.ts';
import { preventEscalation } from './auth/rbac/prevent-escalation.ts';
import { createInProcessClient } from './client/in-process-client.ts';
import { startCrdLifecycle } from './controllers/crd-lifecycle.ts';
import { startExpiry } from './controllers/expire-events.ts';
import { startGarbageCollector } from './controllers/garbage-collector.ts';
import { DEFAULT_ACCOUNT, startNamespaceContents } from './controllers/namespace-contents.ts';
import { STANDING_NAMESPACES, startNamespaceLifecycle } from './controllers/namespace-lifecycle.ts';
import type { FieldManagement } from './pipeline/field-management.ts';
import { createWriter, type Writer } from './pipeline/writer.ts';
import { builtinResources } from './registry/builtin-resources.ts';
import { createRegistry, type Registry } from './registry/registry.ts';
import type { Store } from './store/store.ts';
import { createWatchHub, type WatchHub } from './watch/watch-hub.ts';
import type { WebhookCall } from './webhooks/call-webhook.ts';
import type { Conversions } from './webhooks/conversions.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

export interface ApiEngineOptions {
  readonly store: Store;
  /** Kinds that the product brings; they are installed as CustomResourceDefinitions. */
  readonly kinds: readonly KindDefinition[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly fields?: FieldManagement;
  /** Called once for each call of an admission webhook. */
  readonly observeWebhook?: (call: WebhookCall) => void;
}

/** The API without its HTTP surface: pipeline, watches and housekeeping over one store. */
export interface ApiEngine {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly hub: WatchHub;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly client: ObjectClient;
  readonly authorizer: Authorizer;
  /** For reading: see to it that a version can be shown before `toVersion`. */
  readonly conversions: Conversions;
  /** Resolves when garbage collection, namespace and CRD housekeeping have caught up. */
  idle(): Promise<void>;
  /** Stops the housekeeping; the store stays open. */
  stop(): void;
}

/** Start the engine: standing namespaces and the product's kinds are there when it resolves. */
export async function startApiEngine(options: ApiEngineOptions): Promise<ApiEngine> {
  const { store, clock, log, random } = options;
  const registry = createRegistry(builtinResources());
  const authorizer = createAuthorizer(store);
  const webhooks = createWebhooks({ store, registry, clock, random, observe: options.observeWebhook });
  const writer = createWriter({
    store,
    clock,
    random,
    fields: options.fields,
    guard: (write) => preventEscalation(authorizer, write),
    ...webhooks,
    registry,
  });
  const hub = createWatchHub(store);
  const client = createInProcessClient({ store, registry, writer, hub, clock, conversions: webhooks.conversions });
  await createStandingNamespaces(registry, writer);
  const deps = { store, registry, writer, clock, log };
  await reconcileBootstrapPolicy(deps);
  const aggregation = startRoleAggregation(deps);
  const crds = await startCrdLifecycle({ ...deps, kinds: options.kinds });
  const namespaces = startNamespaceLifecycle(deps);
  const garbage = startGarbageCollector(deps);
  const accounts = startNamespaceContents(deps, DEFAULT_ACCOUNT);
  const stopExpiry = startExpiry(deps);
  await aggregation.idle();
  // Not before: what the server itself brings must come even where a webhook is down.
  webhooks.admission.start();
  return {
    store,
    registry,
    writer,
    hub,
    clock,
    random,
    client,
    authorizer,
    conversions: webhooks.conversions,
    async idle() {
      for (let round = 0; round < 3; round++) {
        const parts = [crds, namespaces, garbage, aggregation, accounts];
        await Promise.all([...parts.map((part) => part.idle()), store.settled()]);
      }
    },
    stop() {
      for (const part of [crds, namespaces, garbage, aggregation, accounts]) part.stop();
      stopExpiry();
      authorizer.stop();
      webhooks.stop();
    },
  };
}

async function createStandingNamespaces(registry: Registry, writer: Writer): Promise<void> {
  const resource = registry.byId('namespaces');
  if (resource === undefined) return;
  for (const name of STANDING_NAMESPACES) {
    try {
      await writer.create(
        {
          resource,
          version: resource.storage,
          namespace: '',
          manager: 'bloomery',
          dryRun: false,
          fieldValidation: 'Ignore',
        },
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      );
    } catch (error) {
      if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
    }
  }
}
