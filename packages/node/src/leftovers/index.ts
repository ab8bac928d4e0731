import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { errorText } from '@bloomery/ports';
import { findLink } from '../kernel/find-link.ts';
import { entryKey, entryLink } from '../kernel/journal-entry.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { addressKey, routeKey, routePlace } from '../kernel/kernel-keys.ts';
import { asItWasPut, isMadeEntry, type MadeEntry } from '../kernel/made-here.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { AddressSpec, LinkSpec, RouteSpec, RoutingRuleSpec } from '../resources/index.ts';
import { kernelRoute, presentRoutes } from '../routes/plan-route.ts';
import { kernelRule } from '../routes/routing-rules.ts';

/** Links of overlays and what is on them: they come back when a far end answers, which may take long. */
const OVERLAYS: ReadonlySet<string> = new Set(['siderolink', 'siderolinktun', 'kubespan']);
/** How long operators have to ask for what they had before the daemon was killed. */
const GRACE_MS = 10_000;

/**
 * Takes away what an earlier run had made and nobody asks for any more: a daemon that was killed while it tried a configuration comes up
 * with the one that was kept. It acts once, a moment after the start, as leases have to be asked for again first; at once only on a route
 * whose place another one shall have.
 */
export function leftoverControllers({ kernel }: Pick<NodeEnvironment, 'kernel'>): readonly Controller[] {
  const left = new Map(
    [...(kernel.entries?.values() ?? [])].filter(isMadeEntry).map((entry) => [entryKey(entry), entry]),
  );
  let startedMs: number | undefined;
  return [
    {
      name: 'network.LeftoverController',
      inputs: [LinkSpec, AddressSpec, RouteSpec, RoutingRuleSpec].map((definition) => ({ definition, kind: 'weak' })),
      outputs: [],
      reconcile: async (context) => {
        if (left.size === 0) return;
        startedMs ??= context.clock.nowMs();
        const graceMs = startedMs + GRACE_MS - context.clock.nowMs();
        const wanted = thingsAskedFor(context, kernel);
        // The last first: routes before addresses, addresses before links.
        for (const [key, entry] of [...left].reverse()) {
          if (graceMs > 0 && !(isInTheWay(entry, context) && !wanted.has(key))) continue;
          left.delete(key);
          const link = kernel.view.links.get(entryLink(entry))?.name ?? '';
          if (kernel.entries?.has(key) !== true || wanted.has(key) || OVERLAYS.has(link)) continue;
          await remove(entry, kernel).then(
            () => context.log.info('leftover.removed', { what: key }),
            (error: unknown) => context.log.warn('leftover.left', { what: key, problem: errorText(error) }),
          );
        }
        if (graceMs > 0) context.wakeAfter(graceMs);
      },
    },
  ];
}

/** A route whose place another one shall have: that one cannot wait. */
function isInTheWay(entry: MadeEntry, context: ReconcileContext): boolean {
  if (entry.do !== 'removeRoute') return false;
  const place = routePlace(entry.route);
  return context.list(RouteSpec).some(({ spec }) => routePlace(kernelRoute(spec, 0)) === place);
}

/** Keys of the entries of everything that specs ask for, also of those that are going: others look after these. */
function thingsAskedFor(context: ReconcileContext, { view }: Kernel): ReadonlySet<string> {
  const specs = <S>(definition: Parameters<typeof context.list<S>>[0]): readonly S[] =>
    context.list(definition).map(({ spec }) => spec);
  const links = specs(LinkSpec).flatMap(({ name }) => findLink(view, name)?.index ?? []);
  const peers = links.flatMap((index) => view.links.get(index)?.linkIndex ?? []);
  const addresses = specs(AddressSpec).flatMap(({ linkName, address }) => {
    const linkIndex = findLink(view, linkName)?.index;
    return linkIndex === undefined ? [] : [addressKey({ linkIndex, address })];
  });
  const routes = specs(RouteSpec).flatMap((spec) => presentRoutes(spec, view).flatMap(asItWasPut).map(routeKey));
  const rules = specs(RoutingRuleSpec).map((spec) => entryKey({ do: 'removeRule', rule: kernelRule(spec) }));
  return new Set([
    ...[...links, ...peers].map((index) => `link ${index}`),
    ...addresses.map((key) => `address ${key}`),
    ...routes.map((key) => `route ${key}`),
    ...rules,
  ]);
}

async function remove(entry: MadeEntry, kernel: Kernel): Promise<void> {
  switch (entry.do) {
    case 'removeLink':
      return kernel.links.remove(entry.index);
    case 'removeAddress':
      return kernel.addresses.remove(entry.linkIndex, entry.address);
    case 'removeRoute':
      return kernel.routes.remove(entry.route);
    default:
      return kernel.rules.remove(entry.rule);
  }
}
