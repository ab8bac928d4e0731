import type { LinkDocument } from '../addresses/link-document.ts';
import type { Device, DeviceRoute, NodeDocument } from '../config/node-config.ts';
import { asNumber } from '../config/plain-value.ts';
import { parsePrefix } from '../ip/ip-prefix.ts';
import type { RouteSpec } from '../resources/routes.ts';
import { blackholeRoute, readRoute, type WrittenRoute } from './route-spec.ts';

/** Routes of the configuration, and what of it could not be read. */
export interface ConfiguredRoutes {
  readonly specs: readonly RouteSpec[];
  /** Each for a person: which route, and which part of it. */
  readonly unreadable: readonly string[];
}

export interface RouteSources {
  readonly devices: readonly Device[];
  readonly linkDocuments: readonly LinkDocument[];
  /** All documents: those of blackhole routes are looked at. */
  readonly documents: readonly NodeDocument[];
  readonly vlanName: (linkName: string, vlanId: number) => string;
}

/** The routes that devices, their VLANs and documents of the configuration name. */
export function configuredRoutes({ devices, linkDocuments, documents, vlanName }: RouteSources): ConfiguredRoutes {
  const written: readonly WrittenRoute[] = [
    ...devices.filter(({ ignore }) => ignore !== true).flatMap((device) => routesOf(device, vlanName)),
    ...linkDocuments.flatMap(({ linkName, routes }) =>
      routes.map((route) => ({ ...route, linkName, layer: 'configuration' as const })),
    ),
  ];
  const specs: RouteSpec[] = [];
  const unreadable: string[] = [];
  for (const route of written) {
    const reading = readRoute(route);
    if (reading.ok) specs.push(reading.spec);
    else unreadable.push(`${reading.part} ${JSON.stringify(reading.text)} of ${named(route)} cannot be read`);
  }
  for (const { kind, name = '', value } of documents) {
    if (kind !== 'BlackholeRouteConfig') continue;
    const destination = parsePrefix(name);
    if (destination === undefined) unreadable.push(`blackhole route ${JSON.stringify(name)} is no network`);
    else specs.push(blackholeRoute(destination, asNumber(value['metric']), 'configuration'));
  }
  return { specs, unreadable };
}

const named = ({ linkName, destination, gateway }: WrittenRoute): string =>
  `the route of link ${linkName} to ${destination || 'everything'} via ${gateway || 'nobody'}`;

function routesOf(device: Device, vlanName: RouteSources['vlanName']): readonly WrittenRoute[] {
  const { interface: name, routes, vlans } = device;
  return [
    ...routes.map((route) => writtenRoute(name, route)),
    ...vlans.flatMap((vlan) => vlan.routes.map((route) => writtenRoute(vlanName(name, vlan.vlanId), route))),
  ];
}

function writtenRoute(linkName: string, { network, ...route }: DeviceRoute): WrittenRoute {
  return { ...route, linkName, destination: network, table: '', layer: 'configuration' };
}
