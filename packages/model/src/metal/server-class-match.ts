import type { CompiledSelector } from '../selector/label-selector.ts';
import { compileLabelSelector } from '../selector/label-selector.ts';
import { isPartialEqual } from './partial-equal.ts';
import type { Server } from './server.ts';
import type { ServerClass } from './server-class.ts';

/** Is a Server a member of a class, or why nobody can say. */
export type Membership =
  | { readonly ok: true; readonly member: boolean }
  | { readonly ok: false; readonly problem: string };

/** A ServerClass made ready to be asked about many Servers. */
export type ServerClassMatcher = (server: Server) => Membership;

const NO: Membership = { ok: true, member: false };

/**
 * Make a matcher of a ServerClass: accepted, not cordoned, selector, qualifiers, in that order, so that a broken selector is
 * a problem only when a Server reaches it (spec/metal.md §7).
 */
export function serverClassMatcher(spec: ServerClass['spec']): ServerClassMatcher {
  const selector: CompiledSelector = compileLabelSelector(spec?.selector);
  const hardware = spec?.qualifiers?.hardware ?? [];
  const labelSelectors = spec?.qualifiers?.labelSelectors ?? [];
  return (server) => {
    if (server.spec?.accepted !== true || server.spec.cordoned === true) return NO;
    if (!selector.ok) {
      const problem = `failed to filter server: failed to get selector from labelselector: ${selector.problem}`;
      return { ok: false, problem };
    }
    const labels = server.metadata.labels ?? {};
    if (!selector.matches(labels)) return NO;
    const have = server.spec.hardware;
    if (hardware.length > 0 && !(have && hardware.some((want) => isPartialEqual(want, have)))) return NO;
    if (labelSelectors.length > 0 && !labelSelectors.some((pairs) => hasAnyPair(pairs, labels))) return NO;
    return { ok: true, member: true };
  };
}

/** The lists of ServerClass.status, sorted bytewise. */
export type Classification =
  | { readonly ok: true; readonly serversAvailable: readonly string[]; readonly serversInUse: readonly string[] }
  | { readonly ok: false; readonly problem: string };

/** Sort Servers into a class: members in use, and the other members whether clean or not. */
export function classifyServers(spec: ServerClass['spec'], servers: readonly Server[]): Classification {
  const matcher = serverClassMatcher(spec);
  const serversAvailable: string[] = [];
  const serversInUse: string[] = [];
  for (const server of servers) {
    const membership = matcher(server);
    if (!membership.ok) return membership;
    if (membership.member) (server.status?.inUse === true ? serversInUse : serversAvailable).push(server.metadata.name);
  }
  return { ok: true, serversAvailable: serversAvailable.sort(), serversInUse: serversInUse.sort() };
}

function hasAnyPair(pairs: Readonly<Record<string, string>> | null, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(pairs ?? {}).some(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value);
}
