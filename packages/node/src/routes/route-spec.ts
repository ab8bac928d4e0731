import {
  type IpAddress,
  type IpFamily,
  type IpPrefix,
  isLoopback,
  isMulticast,
  isUnspecified,
  parseIp,
  parsePrefix,
} from '../ip/ip-prefix.ts';
import type { ConfigLayer } from '../layers/index.ts';
import { ROUTING_TABLE } from '../resources/enumerations.ts';
import { RouteSpec } from '../resources/routes.ts';

/** Metric of routes that name none. */
export const DEFAULT_ROUTE_METRIC = 1024;

/** A route as it is written: texts, empty and 0 where nothing is said. */
export interface WrittenRoute {
  readonly linkName: string;
  /** CIDR; empty, 0.0.0.0/0 and ::/0: everything. */
  readonly destination: string;
  readonly gateway: string;
  readonly source: string;
  readonly metric: number;
  readonly mtu: number;
  /** Name or number; empty: main. */
  readonly table: string;
  readonly layer: ConfigLayer;
  /** `static` unless given. */
  readonly protocol?: RouteSpec['protocol'];
}

/** The spec of a route with its defaults, or which part of it cannot be read. */
export type RouteReading =
  | { readonly ok: true; readonly spec: RouteSpec }
  | { readonly ok: false; readonly part: 'destination' | 'gateway' | 'source' | 'table'; readonly text: string };

/** Bring a written route into the form that all layers share, with canonical texts. */
export function readRoute(written: WrittenRoute): RouteReading {
  const destination = written.destination === '' ? undefined : parsePrefix(written.destination);
  if (destination === undefined && written.destination !== '') return refused('destination', written.destination);
  const gateway = written.gateway === '' ? undefined : parseIp(written.gateway);
  if (gateway === undefined && written.gateway !== '') return refused('gateway', written.gateway);
  const source = written.source === '' ? undefined : parseIp(written.source);
  if (source === undefined && written.source !== '') return refused('source', written.source);
  const table = tableName(written.table);
  if (table === undefined) return refused('table', written.table);

  const dst = isEverything(destination) ? undefined : destination;
  const via = gateway === undefined || isUnspecified(gateway) ? undefined : gateway;
  if (isOtherFamily(dst, via)) return refused('gateway', written.gateway);
  const spec = RouteSpec.make({
    family: familyOf({ via, dst, said: [destination?.address, gateway, source] }),
    dst: dst?.text ?? '',
    src: source === undefined || isUnspecified(source) ? '' : source.text,
    gateway: via?.text ?? '',
    outLinkName: written.linkName,
    table,
    priority: written.metric === 0 ? DEFAULT_ROUTE_METRIC : written.metric,
    scope: scopeOf(dst, via),
    type: dst !== undefined && isMulticast(dst.address) ? 'multicast' : 'unicast',
    protocol: written.protocol ?? 'static',
    mtu: written.mtu,
    layer: written.layer,
  });
  return { ok: true, spec };
}

/** Whether a route goes to a network of one IP family through a gateway of the other: the kernel would read one as the other. */
export function isOtherFamily(destination: IpPrefix | undefined, gateway: IpAddress | undefined): boolean {
  if (destination === undefined || gateway === undefined || isEverything(destination)) return false;
  return destination.address.family !== gateway.family;
}

/** A route that swallows what goes to a network. The kernel wants IPv6 ones to name a link: `lo`. */
export function blackholeRoute(destination: IpPrefix, metric: number, layer: ConfigLayer): RouteSpec {
  const { family } = destination.address;
  return RouteSpec.make({
    family,
    dst: destination.text,
    outLinkName: family === 'inet6' ? 'lo' : '',
    table: 'main',
    priority: metric === 0 ? DEFAULT_ROUTE_METRIC : metric,
    type: 'blackhole',
    protocol: 'static',
    layer,
  });
}

/** A routing table under its name, or its number as text. Empty is main. @returns undefined for what is neither */
export function tableName(text: string): RouteSpec['table'] | undefined {
  if (text === '') return 'main';
  const byNumber = new Map<number, string>(Object.entries(ROUTING_TABLE).map(([name, number]) => [number, name]));
  const byName = new Map<string, number>(Object.entries(ROUTING_TABLE));
  const number = byName.get(text) ?? wholeNumber(text);
  return number === undefined ? undefined : ((byNumber.get(number) ?? `${number}`) as RouteSpec['table']);
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) && Number(text) <= 0xffff_ffff ? Number(text) : undefined;
}

function isEverything(destination: IpPrefix | undefined): boolean {
  return destination !== undefined && destination.bits === 0 && isUnspecified(destination.address);
}

function scopeOf(dst: IpPrefix | undefined, gateway: IpAddress | undefined): RouteSpec['scope'] {
  if (gateway === undefined && dst !== undefined) return 'link';
  return dst !== undefined && isLoopback(dst.address) ? 'host' : 'global';
}

interface FamilyHints {
  readonly via: IpAddress | undefined;
  readonly dst: IpPrefix | undefined;
  /** What was written, before `everything` and `nobody` were taken out. */
  readonly said: readonly (IpAddress | undefined)[];
}

/** IPv6 when gateway or destination say so; else as the last of those written as empty; else theirs; else the source's; else IPv4. */
function familyOf({ via, dst, said }: FamilyHints): IpFamily {
  if (via?.family === 'inet6' || dst?.address.family === 'inet6') return 'inet6';
  const known = said.filter((address) => address !== undefined);
  const hint = known.findLast(isUnspecified) ?? via ?? dst?.address ?? known.at(-1);
  return hint?.family ?? 'inet4';
}

function refused(part: 'destination' | 'gateway' | 'source' | 'table', text: string): RouteReading {
  return { ok: false, part, text };
}
