import { isIPv4, isIPv6 } from 'node:net';
import { ResolverSpec } from '../resources/names.ts';

/** Under which id the resolvers stand, on each layer and in the end. */
export const RESOLVERS_ID = 'resolvers';

/**
 * Of resolvers on all layers, lowest first. The same layer appends its servers; the configuration replaces them if it has any; any other
 * layer replaces them, but keeps those of the IP family that it has none of behind its own. Search domains that are new come in front.
 *
 * @returns undefined: there are no servers
 */
export function mergeResolvers(specs: readonly ResolverSpec[]): ResolverSpec | undefined {
  let servers: readonly string[] = [];
  let domains: readonly string[] = [];
  let layer: ResolverSpec['layer'] = 'default';
  for (const spec of specs) {
    const known = new Set(domains);
    domains = [...new Set(spec.searchDomains.filter((domain) => !known.has(domain))), ...domains];
    if (spec.layer === layer) servers = [...servers, ...spec.dnsServers];
    else if (spec.layer !== 'configuration') servers = withOtherFamily(spec.dnsServers, servers);
    else if (spec.dnsServers.length > 0) servers = spec.dnsServers;
    layer = spec.layer;
  }
  return servers.length === 0 ? undefined : ResolverSpec.make({ dnsServers: servers, searchDomains: domains, layer });
}

function withOtherFamily(servers: readonly string[], old: readonly string[]): readonly string[] {
  for (const isOfFamily of [isIPv4, isIPv6]) {
    if (old.some(isOfFamily) && !servers.some(isOfFamily)) return [...servers, ...old.filter(isOfFamily)];
  }
  return servers;
}
