import { holds, type PolicyRule, urlCovers } from './policy-rule.ts';

/**
 * What of the wanted rules the held ones do not allow, in the least number of rules; empty when they allow all of it.
 * Each verb on each resource (and name) must be allowed by one held rule.
 */
export function uncoveredRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  const missing = wanted.flatMap(singleRules).filter((single) => !held.some((rule) => coversSingle(rule, single)));
  return compactRules(missing);
}

/** A rule as kube-apiserver prints it: `{APIGroups:[""], Resources:["pods"], Verbs:["get"]}`. */
export function ruleText(rule: PolicyRule): string {
  const part = (label: string, list: readonly string[]): string[] =>
    list.length === 0 ? [] : [`${label}:[${list.map((text) => JSON.stringify(text)).join(' ')}]`];
  const parts = [
    ...part('APIGroups', rule.apiGroups),
    ...part('Resources', rule.resources),
    ...part('NonResourceURLs', rule.nonResourceURLs),
    ...part('ResourceNames', rule.resourceNames),
    ...part('Verbs', rule.verbs),
  ];
  return `{${parts.join(', ')}}`;
}

const NOTHING: PolicyRule = { verbs: [], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };

/** One verb on one resource of one group, and of one name where names are given; or one verb on one path. */
function singleRules(rule: PolicyRule): readonly PolicyRule[] {
  const names = rule.resourceNames.length === 0 ? [[]] : rule.resourceNames.map((name) => [name]);
  const onResources = rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) =>
      names.flatMap((resourceNames) =>
        rule.verbs.map((verb) => ({
          ...NOTHING,
          apiGroups: [group],
          resources: [resource],
          resourceNames,
          verbs: [verb],
        })),
      ),
    ),
  );
  const onPaths = rule.nonResourceURLs.flatMap((url) =>
    rule.verbs.map((verb) => ({ ...NOTHING, nonResourceURLs: [url], verbs: [verb] })),
  );
  return [...onResources, ...onPaths];
}

function coversSingle(held: PolicyRule, single: PolicyRule): boolean {
  const [verb = ''] = single.verbs;
  if (!holds(held.verbs, verb)) return false;
  const [url] = single.nonResourceURLs;
  if (url !== undefined) return held.nonResourceURLs.some((mine) => urlCovers(mine, url));
  const [group = ''] = single.apiGroups;
  const [resource = ''] = single.resources;
  const [name] = single.resourceNames;
  const [, subresource] = resource.split('/');
  return (
    holds(held.apiGroups, group) &&
    (holds(held.resources, resource) || (subresource !== undefined && held.resources.includes(`*/${subresource}`))) &&
    (held.resourceNames.length === 0 || (name !== undefined && held.resourceNames.includes(name)))
  );
}

/** Verbs on the same thing in one rule; paths stay apart, as kube-apiserver prints them. */
function compactRules(singles: readonly PolicyRule[]): readonly PolicyRule[] {
  const compact = new Map<string, PolicyRule>();
  for (const single of singles) {
    const key = single.nonResourceURLs.length > 0 ? ruleText(single) : ruleText({ ...single, verbs: [] });
    const known = compact.get(key);
    const verbs = [...new Set([...(known?.verbs ?? []), ...single.verbs])];
    compact.set(key, { ...single, verbs });
  }
  return [...compact.values()];
}
