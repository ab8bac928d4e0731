import type { KernelView } from '../kernel.ts';
import { ipJson } from './private-network.ts';

interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly qdisc?: string;
  readonly operstate: string;
  readonly address?: string;
  readonly master?: string;
  readonly ifalias?: string;
  readonly altnames?: readonly string[];
  readonly linkinfo?: { readonly info_kind?: string };
}
interface IpAddresses {
  readonly ifname: string;
  readonly addr_info: readonly {
    readonly local: string;
    readonly prefixlen: number;
    readonly address?: string;
    readonly metric?: number;
    readonly tentative?: boolean;
  }[];
}
interface IpRoute {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly prefsrc?: string;
  readonly metric?: number;
  readonly table?: string;
  readonly nexthops?: readonly { readonly gateway?: string; readonly dev?: string }[];
}
interface IpRule {
  readonly priority: number;
  readonly src: string;
  readonly srclen?: number;
  readonly table?: string;
}

/** What is there, in lines that can be compared. */
export interface NetworkLines {
  readonly links: readonly string[];
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
  readonly rules: readonly string[];
}

const IFF_UP = 1;
const OPER: readonly string[] = ['UNKNOWN', 'NOTPRESENT', 'DOWN', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT', 'UP'];
const TABLES: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };
const TYPES: readonly string[] = [
  ...['unspec', 'unicast', 'local', 'broadcast', 'anycast', 'multicast', 'blackhole', 'unreachable', 'prohibit'],
];

/** As `ip` says it. */
export function linesOfIp(): NetworkLines {
  const links = ipJson<IpLink>('-d', 'link').map((link) =>
    [
      ...[link.ifindex, link.ifname, link.flags.includes('UP') ? 'up' : 'down', link.mtu, link.qdisc, link.operstate],
      ...[link.address ?? '', link.master ?? '', link.ifalias ?? '', (link.altnames ?? []).join(',')],
      link.linkinfo?.info_kind ?? '',
    ].join(' '),
  );
  const addresses = ipJson<IpAddresses>('addr').flatMap(({ ifname, addr_info }) =>
    addr_info.map(
      ({ local, prefixlen, address = '', metric = 0, tentative = false }) =>
        `${ifname} ${local}/${prefixlen} ${address} ${metric} ${tentative}`,
    ),
  );
  const routes = ['-4', '-6'].flatMap((family) => {
    const all = ipJson<IpRoute>(family, '-d', 'route', 'show', 'table', 'all');
    return all.map(
      ({ type = 'unicast', dst, gateway = '', dev = '', prefsrc = '', metric = 0, table = 'main', nexthops }) =>
        [
          ...[
            family,
            type,
            networkText(dst, family),
            gateway,
            nexthops ? '' : dev,
            prefsrc,
            metric,
            TABLES[table] ?? table,
          ],
          (nexthops ?? []).map((hop) => `${hop.gateway ?? ''}@${hop.dev}`).join(','),
        ].join(' '),
    );
  });
  const rules = ['-4', '-6'].flatMap((family) =>
    ipJson<IpRule>(family, 'rule').map(
      ({ priority, src, srclen, table = '' }) =>
        `${family} ${priority} ${src === 'all' ? '' : `${src}/${srclen ?? (family === '-4' ? 32 : 128)}`} ${TABLES[table] ?? table}`,
    ),
  );
  return sorted({ links, addresses, routes, rules });
}

function networkText(dst: string, family: string): string {
  if (dst === 'default') return '';
  return dst.includes('/') ? dst : `${dst}/${family === '-4' ? 32 : 128}`;
}

/** As our view says it. */
export function linesOfView(view: KernelView): NetworkLines {
  const nameOf = (index: number): string => view.links.get(index)?.name ?? '';
  const links = [...view.links.values()].map((link) =>
    [
      ...[link.index, link.name, (link.flags & IFF_UP) === 0 ? 'down' : 'up', link.mtu, link.queueDisc],
      ...[OPER[link.operationalState], link.hardwareAddr, nameOf(link.masterIndex), link.alias],
      ...[link.altNames.join(','), link.kind],
    ].join(' '),
  );
  const addresses = [...view.addresses.values()].map(
    ({ linkIndex, address, peer = '', priority, flags }) =>
      `${nameOf(linkIndex)} ${address} ${peer} ${priority} ${(flags & 0x40) !== 0}`,
  );
  const routes = [...view.routes.values()].map((route) =>
    [
      ...[route.family === 2 ? '-4' : '-6', TYPES[route.type], route.destination, route.gateway],
      ...[nameOf(route.outLinkIndex), route.source, route.priority, route.table],
      (route.nextHops ?? []).map((hop) => `${hop.gateway}@${nameOf(hop.linkIndex)}`).join(','),
    ].join(' '),
  );
  const rules = view.rules.map(
    ({ family, priority, source, table }) => `${family === 2 ? '-4' : '-6'} ${priority} ${source} ${table}`,
  );
  return sorted({ links, addresses, routes, rules });
}

function sorted({ links, addresses, routes, rules }: NetworkLines): NetworkLines {
  return {
    links: links.toSorted(),
    addresses: addresses.toSorted(),
    routes: routes.toSorted(),
    rules: rules.toSorted(),
  };
}
