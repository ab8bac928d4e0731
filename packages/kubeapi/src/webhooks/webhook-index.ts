import type { KindDefinition } from '@bloomery/model';
import type { Registry } from '../registry/registry.ts';
import type { Store } from '../store/store.ts';
import { type AdmissionWebhook, webhooksOf } from './admission-webhook.ts';
import { type AdmissionTarget, isExempt, matchedVersion } from './match-rules.ts';

/** A webhook whose rules match, with the version in which it sees objects. */
export interface MatchedWebhook {
  readonly webhook: AdmissionWebhook;
  readonly version: KindDefinition;
}

export type WebhookKind = 'mutating' | 'validating';

/** Which webhooks may have a say in what. */
export interface WebhookIndex {
  /** Those whose rules match, in the order of their configurations' names; empty for none. Selectors are not asked. */
  find(kind: WebhookKind, target: AdmissionTarget): readonly MatchedWebhook[];
  stop(): void;
}

const RESOURCES: Readonly<Record<WebhookKind, string>> = {
  mutating: 'mutatingwebhookconfigurations.admissionregistration.k8s.io',
  validating: 'validatingwebhookconfigurations.admissionregistration.k8s.io',
};
const NONE: readonly MatchedWebhook[] = [];
/** Answers that are kept; more different questions begin anew. */
const MAX_KNOWN = 4096;

/**
 * Index the webhook configurations of a store. They are read again after a change of theirs only, and what matches a resource
 * is found once: with no configuration a question costs nothing.
 */
export function createWebhookIndex(store: Store, registry: Registry): WebhookIndex {
  const kinds = { mutating: half(store, registry, 'mutating'), validating: half(store, registry, 'validating') };
  const unsubscribe = store.subscribe((changes) => {
    for (const { id } of changes) {
      if (id.resource === RESOURCES.mutating) kinds.mutating.forget();
      else if (id.resource === RESOURCES.validating) kinds.validating.forget();
    }
  });
  return { find: (kind, target) => kinds[kind].find(target), stop: unsubscribe };
}

function half(store: Store, registry: Registry, kind: WebhookKind) {
  let webhooks: readonly AdmissionWebhook[] | undefined;
  let known = new Map<string, readonly MatchedWebhook[]>();
  let generation = 0;
  return {
    forget(): void {
      webhooks = undefined;
    },
    find(target: AdmissionTarget): readonly MatchedWebhook[] {
      if (webhooks === undefined) {
        webhooks = store.list(RESOURCES[kind]).flatMap(webhooksOf);
        known = new Map();
      }
      if (webhooks.length === 0 || isExempt(target.resource)) return NONE;
      if (generation !== registry.generation || known.size > MAX_KNOWN) {
        generation = registry.generation;
        known = new Map();
      }
      const { resource, version, subresource, operation } = target;
      const question = `${resource.id}/${subresource} ${version.group}/${version.version} ${operation}`;
      let found = known.get(question);
      if (found === undefined) {
        found = webhooks.flatMap((webhook) => {
          const matched = matchedVersion(webhook, target);
          return matched === undefined ? [] : [{ webhook, version: matched }];
        });
        known.set(question, found);
      }
      return found;
    },
  };
}
