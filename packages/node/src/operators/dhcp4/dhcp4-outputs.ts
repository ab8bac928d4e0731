import {
  DHCP_OPTION,
  type DhcpPacket,
  parseIpv4,
  readDhcpAddresses,
  readDhcpNumber,
  readDhcpRoutes,
  readDhcpSearchList,
  readDhcpText,
} from '@bloomery/wire';
import { parseIp, parsePrefix, prefixContains } from '../../ip/ip-prefix.ts';
import {
  ADDRESS_FLAGS,
  AddressSpec,
  HostnameSpec,
  LinkSpec,
  ResolverSpec,
  RouteSpec,
  TimeServerSpec,
} from '../../resources/index.ts';
import { fqdnParts } from '../fqdn-parts.ts';
import type { OperatorOutputs } from '../operator.ts';
import type { Dhcp4Lease } from './dhcp4-lease.ts';

/** How a lease becomes specs. */
export interface Dhcp4OutputOptions {
  readonly linkName: string;
  readonly routeMetric: number;
  /** The name of the last exchange that asked for one; used when this one did not. */
  readonly hostname: HostnameSpec | undefined;
}

const LAYER = 'operator';
const MTU_MIN = 576;
const MTU_MAX = 65_535;

/** The leased address with the length of its network. */
export const dhcp4Address = ({ address, bits }: Dhcp4Lease): string => `${address}/${bits}`;

/** What a lease says, as specs. */
export function dhcp4Outputs(
  lease: Dhcp4Lease,
  { linkName, routeMetric, hostname }: Dhcp4OutputOptions,
): OperatorOutputs {
  const option = (code: number): Uint8Array => lease.ack.options.get(code) ?? new Uint8Array();
  const mtu = readDhcpNumber(option(DHCP_OPTION.INTERFACE_MTU)) ?? 0;
  const dnsServers = usable(readDhcpAddresses(option(DHCP_OPTION.DNS)));
  const searchDomains = readDhcpSearchList(option(DHCP_OPTION.DOMAIN_SEARCH)) ?? [];
  const timeServers = usable(readDhcpAddresses(option(DHCP_OPTION.TIME_SERVERS)));
  return {
    addresses: [
      AddressSpec.make({
        address: dhcp4Address(lease),
        linkName,
        family: 'inet4',
        scope: 'global',
        flags: ADDRESS_FLAGS.permanent,
        priority: routeMetric,
        layer: LAYER,
      }),
    ],
    links: mtu >= MTU_MIN && mtu <= MTU_MAX ? [LinkSpec.make({ name: linkName, mtu, up: true, layer: LAYER })] : [],
    routes: leasedRoutes(lease).map((route, i, all) =>
      RouteSpec.make({
        family: 'inet4',
        dst: route.destination,
        src: lease.address,
        gateway: route.gateway,
        outLinkName: linkName,
        table: 'main',
        // Of several ways to the same the first is preferred; the kernel has no two with one metric.
        priority: routeMetric + all.slice(0, i).filter(({ destination }) => destination === route.destination).length,
        scope: route.gateway === '' ? 'link' : 'global',
        type: 'unicast',
        protocol: 'boot',
        layer: LAYER,
      }),
    ),
    ...(hostname === undefined ? {} : { hostname }),
    ...(dnsServers.length + searchDomains.length === 0
      ? {}
      : { resolvers: ResolverSpec.make({ dnsServers, searchDomains, layer: LAYER }) }),
    ...(timeServers.length === 0 ? {} : { timeServers: TimeServerSpec.make({ timeServers, layer: LAYER }) }),
  };
}

/** The name that the server gives this host, if it gives a usable one. */
export function dhcp4Hostname({ options }: DhcpPacket): HostnameSpec | undefined {
  const option = (code: number): string => readDhcpText(options.get(code) ?? new Uint8Array());
  const name = fqdnParts(option(DHCP_OPTION.HOST_NAME));
  if (name === undefined) return undefined;
  const domain = option(DHCP_OPTION.DOMAIN_NAME);
  const isDomain = domain !== '' && fqdnParts(`x.${domain}`) !== undefined;
  return HostnameSpec.make({ ...name, ...(isDomain ? { domainname: domain } : {}), layer: LAYER });
}

interface LeasedRoute {
  /** CIDR; empty: everything. */
  readonly destination: string;
  /** Empty: on the link. */
  readonly gateway: string;
}

/** Classless routes replace the routers (RFC 3442). A router outside of the network is first made reachable on the link. */
function leasedRoutes({ ack, address, bits }: Dhcp4Lease): readonly LeasedRoute[] {
  const classless = readDhcpRoutes(ack.options.get(DHCP_OPTION.CLASSLESS_ROUTES) ?? new Uint8Array()) ?? [];
  if (classless.length > 0) {
    return classless.map(({ destination, gateway }) => ({
      destination: destination === '0.0.0.0/0' ? '' : destination,
      gateway: gateway === '0.0.0.0' ? '' : gateway,
    }));
  }
  const network = parsePrefix(`${address}/${bits}`);
  return usable(readDhcpAddresses(ack.options.get(DHCP_OPTION.ROUTER) ?? new Uint8Array())).flatMap((gateway) => {
    const router = parseIp(gateway);
    const isNear = network !== undefined && router !== undefined && prefixContains(network, router);
    const toRouter = { destination: `${gateway}/32`, gateway: '' };
    return [{ destination: '', gateway }, ...(isNear ? [] : [toRouter])];
  });
}

/** Addresses of hosts, each once. */
function usable(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].filter((address) => {
    const first = parseIpv4(address)?.[0] ?? 0;
    return first !== 0 && first < 224;
  });
}
