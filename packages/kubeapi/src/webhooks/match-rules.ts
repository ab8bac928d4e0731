import type { KindDefinition } from '@bloomery/model';
import type { Resource } from '../registry/resource.ts';
import type { AdmissionRule, AdmissionWebhook } from './admission-webhook.ts';

/** What is done to what, as rules of webhooks speak of it. */
export interface AdmissionTarget {
  readonly resource: Resource;
  /** The version of the request. */
  readonly version: KindDefinition;
  readonly subresource: string;
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
}

const CONFIGURATIONS: ReadonlySet<string> = new Set([
  'mutatingwebhookconfigurations',
  'validatingwebhookconfigurations',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
]);

/** Configurations of admission are never sent to webhooks: a bad one could not be mended otherwise. */
export function isExempt({ group, plural }: Resource): boolean {
  return group === 'admissionregistration.k8s.io' && CONFIGURATIONS.has(plural);
}

/**
 * The version in which a webhook wants to see the objects of a target; undefined when its rules do not match. The version of the
 * request goes before equivalent ones.
 */
export function matchedVersion(webhook: AdmissionWebhook, target: AdmissionTarget): KindDefinition | undefined {
  const { version, resource } = target;
  if (webhook.rules.some((rule) => ruleMatches(rule, target, version))) return version;
  if (!webhook.matchesEquivalent) return undefined;
  for (const rule of webhook.rules) {
    const equivalent = resource.versions.find((other) => other !== version && ruleMatches(rule, target, other));
    if (equivalent !== undefined) return equivalent;
  }
  return undefined;
}

function ruleMatches(rule: AdmissionRule, target: AdmissionTarget, version: KindDefinition): boolean {
  return (
    has(rule.operations, target.operation) &&
    has(rule.apiGroups, version.group) &&
    has(rule.apiVersions, version.version) &&
    isInScope(rule.scope, target.resource) &&
    rule.resources.some((wanted) => resourceMatches(wanted, version.plural, target.subresource))
  );
}

function has(wanted: readonly string[], value: string): boolean {
  return wanted.includes('*') || wanted.includes(value);
}

function isInScope(scope: string, resource: Resource): boolean {
  return scope === '*' || (scope === 'Namespaced') === resource.namespaced;
}

/** `*` is any resource without its subresources, `pods/*` pods and all of their subresources, and so on. */
function resourceMatches(wanted: string, plural: string, subresource: string): boolean {
  const slash = wanted.indexOf('/');
  const wantedPlural = slash < 0 ? wanted : wanted.slice(0, slash);
  const wantedSub = slash < 0 ? '' : wanted.slice(slash + 1);
  return (wantedPlural === '*' || wantedPlural === plural) && (wantedSub === '*' || wantedSub === subresource);
}
