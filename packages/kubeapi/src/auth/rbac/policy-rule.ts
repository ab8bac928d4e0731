import { isJsonObject, type JsonObject } from '@bloomery/model';
import { texts } from '../../json-parts.ts';
import type { Attributes } from '../authorize.ts';

/** One rule of a role. Absent lists are empty. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** The rules of a stored role; what is no rule is passed over. */
export function readRules(role: JsonObject | undefined): readonly PolicyRule[] {
  const rules = role?.['rules'];
  if (!Array.isArray(rules)) return [];
  return rules.filter(isJsonObject).map((rule) => ({
    verbs: texts(rule['verbs']),
    apiGroups: texts(rule['apiGroups']),
    resources: texts(rule['resources']),
    resourceNames: texts(rule['resourceNames']),
    nonResourceURLs: texts(rule['nonResourceURLs']),
  }));
}

/** A rule as it stands in an object: empty lists are left out. */
export function ruleJson(rule: PolicyRule): JsonObject {
  const lists = (['verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'] as const).map(
    (field) => [field, [...rule[field]]] as const,
  );
  return Object.fromEntries(lists.filter(([, list]) => list.length > 0));
}

/** Whether a rule allows a request. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!holds(rule.verbs, attributes.verb)) return false;
  if ('path' in attributes) return rule.nonResourceURLs.some((url) => urlCovers(url, attributes.path));
  const { group, resource, subresource, name } = attributes;
  return (
    holds(rule.apiGroups, group) &&
    coversResource(rule.resources, resource, subresource) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(name))
  );
}

/** Whether a list of resources (`pods`, `pods/log`, a star with `/scale`, `*`) holds this one. */
function coversResource(resources: readonly string[], resource: string, subresource: string): boolean {
  if (resources.includes('*')) return true;
  if (subresource === '') return resources.includes(resource);
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

/** Whether a path of a rule (`/metrics`, `/logs/*`, `*`) holds another path. */
export function urlCovers(url: string, path: string): boolean {
  return url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')));
}

/** Whether a list has the wanted word or a star. */
export function holds(list: readonly string[], wanted: string): boolean {
  return list.includes(wanted) || list.includes('*');
}
