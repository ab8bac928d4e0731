import type { Controller } from '@bloomery/cosi';
import { FAMILY, ROUTE_PROTOCOL, ROUTE_TYPE, ROUTING_TABLE, SCOPE } from '../../resources/enumerations.ts';
import { RouteStatus } from '../../resources/routes.ts';
import { routeId } from '../../routes/route-id.ts';
import type { Kernel, KernelRoute, KernelView } from '../kernel.ts';
import { routeKey } from '../kernel-keys.ts';
import { createNameWatch, deltaController, type Shown } from './delta-controller.ts';
import { nameOfNumber } from './named-numbers.ts';

/** RTM_F_*: those below are of next hops, and have other meanings. */
const ROUTE_FLAGS_MASK = 0xff00;

/** Routes of all tables as the kernel has them: ids like those of RouteSpecs. */
export function routeStatusController(kernel: Kernel): Controller {
  const renamed = createNameWatch(kernel.view);
  return deltaController({
    name: 'network.RouteStatusController',
    definition: RouteStatus,
    kernel,
    all: (view) => view.routes.keys(),
    touchedBy: (change, view) => {
      if (change.of === 'route') return [routeKey(change.route)];
      const index = renamed(change);
      if (index === undefined) return [];
      return [...view.routes.values()].filter(({ outLinkIndex }) => outLinkIndex === index).map(routeKey);
    },
    show: (key, view) => {
      const route = view.routes.get(key);
      return route === undefined ? undefined : shownRoute(route, view);
    },
  });
}

function shownRoute(route: KernelRoute, view: KernelView): Shown<RouteStatus> {
  const spec = RouteStatus.make({
    family: nameOfNumber(FAMILY, route.family),
    dst: route.destination,
    src: route.source,
    gateway: route.gateway,
    outLinkIndex: route.outLinkIndex,
    outLinkName: view.links.get(route.outLinkIndex)?.name ?? '',
    table: nameOfNumber(ROUTING_TABLE, route.table),
    priority: route.priority,
    scope: nameOfNumber(SCOPE, route.scope),
    type: nameOfNumber(ROUTE_TYPE, route.type),
    flags: route.flags & ROUTE_FLAGS_MASK,
    protocol: nameOfNumber(ROUTE_PROTOCOL, route.protocol),
    mtu: route.mtu,
  });
  return { id: routeId(spec), spec };
}
