import { addressSpec } from '../addresses/configured-addresses.ts';
import { type IpAddress, prefixContains } from '../ip/ip-prefix.ts';
import { bondMaster } from '../links/bond-master.ts';
import { isPhysicalLink } from '../links/default-dhcp.ts';
import type { LinkNames } from '../links/link-names.ts';
import { vlanLinkName } from '../links/vlan-link-name.ts';
import { fqdnParts } from '../operators/fqdn-parts.ts';
import {
  type AddressSpec,
  HostnameSpec,
  LinkSpec,
  OperatorSpec,
  ResolverSpec,
  type RouteSpec,
  TimeServerSpec,
} from '../resources/index.ts';
import { DEFAULT_ROUTE_METRIC, readRoute } from '../routes/route-spec.ts';
import { type IpArgument, type ReadArgument, readIpArgument } from './ip-argument.ts';
import type { KernelArguments } from './kernel-arguments.ts';
import { readBondArgument, readVlanArgument } from './link-arguments.ts';

/** A link as kernel arguments look at it. */
export interface KnownLink {
  readonly name: string;
  readonly index: number;
  readonly type: string;
  readonly kind: string;
}

/** What the kernel arguments ask for, as specs of layer `cmdline`. */
export interface CmdlineNetwork {
  readonly links: readonly LinkSpec[];
  readonly addresses: readonly AddressSpec[];
  readonly routes: readonly RouteSpec[];
  readonly operators: readonly OperatorSpec[];
  readonly hostname?: HostnameSpec;
  readonly resolvers?: ResolverSpec;
  readonly timeServers?: TimeServerSpec;
  /** Arguments that are left out, and why. The others count all the same. */
  readonly problems: readonly string[];
}

const LAYER = 'cmdline';

/** Kernel names of links that are left alone: `talos.network.interface.ignore=`. */
export function ignoredLinks(given: KernelArguments, names: LinkNames): ReadonlySet<string> {
  return new Set(given.all('talos.network.interface.ignore').map((name) => names.resolve(name)));
}

/**
 * What `ip=`, `bond=`, `vlan=` and `talos.hostname=` ask for. Pure. Names of links may be aliases or alternative names. An `ip=`
 * that names no link means the first physical one by name, or any but the loopback when there is none.
 *
 * @param known the links there are now, in the order of their names.
 */
export function cmdlineNetwork(given: KernelArguments, names: LinkNames, known: readonly KnownLink[]): CmdlineNetwork {
  const problems: string[] = [];
  const readAll = <T>(name: string, read: (text: string) => ReadArgument<T>): readonly T[] =>
    given.all(name).flatMap((text) => {
      const result = read(text);
      if (result === 'nothing') return [];
      if ('value' in result) return [result.value];
      problems.push(`${name}=${text.slice(0, 200)}: ${result.problem}`);
      return [];
    });
  const ips = readAll('ip', readIpArgument).map((argument) => ({
    ...argument,
    device: deviceOf(argument, names, known),
  }));
  const hostname = readHostname(
    given.first('talos.hostname') ?? ips.find((ip) => ip.hostname !== '')?.hostname ?? '',
    problems,
  );
  const links = new Map<string, LinkSpec>();
  const onLinks = ips.filter(({ device }) => device !== '');
  const change = (name: string, values: Partial<LinkSpec>): void => {
    links.set(name, { ...(links.get(name) ?? LinkSpec.make({ name, up: true, layer: LAYER })), ...values });
  };
  for (const { device } of onLinks) change(device, {});
  for (const { name, interfaces, options, mtu } of readAll('bond', readBondArgument)) {
    const primaryName = options['primary'];
    const primary = typeof primaryName === 'string' ? names.resolve(primaryName) : undefined;
    const index = known.find((link) => link.name === primary)?.index ?? 0;
    change(name, { kind: 'bond', type: 'ether', logical: true, mtu, bondMaster: bondMaster(options, index) });
    for (const [slaveIndex, slave] of interfaces.entries()) {
      change(names.resolve(slave), { bondSlave: { masterName: name, slaveIndex } });
    }
  }
  for (const { vlanId, parent } of readAll('vlan', readVlanArgument)) {
    const vlan = { vlanID: vlanId, vlanProtocol: '802.1q' } as const;
    const parentName = names.resolve(parent);
    change(vlanLinkName(parent, vlanId), { kind: 'vlan', type: 'ether', logical: true, parentName, vlan });
  }
  const dnsServers = texts(ips.flatMap((ip) => ip.dnsServers));
  const timeServers = texts(ips.flatMap((ip) => ip.timeServers));
  return {
    links: [...links.values()],
    addresses: onLinks.flatMap(({ device, address }) =>
      address === undefined ? [] : [addressSpec({ linkName: device, prefix: address, layer: LAYER })],
    ),
    // Of several gateways the first is preferred.
    routes: onLinks.flatMap((argument, i) => gatewayRoutes(argument, DEFAULT_ROUTE_METRIC + i)),
    operators: onLinks.filter(({ dhcp }) => dhcp).map(({ device }) => dhcp4(device)),
    ...(hostname === undefined ? {} : { hostname }),
    ...(dnsServers.length === 0 ? {} : { resolvers: ResolverSpec.make({ dnsServers, layer: LAYER }) }),
    ...(timeServers.length === 0 ? {} : { timeServers: TimeServerSpec.make({ timeServers, layer: LAYER }) }),
    problems,
  };
}

/** All but what speaks of these links. */
export function withoutLinks(network: CmdlineNetwork, left: ReadonlySet<string>): CmdlineNetwork {
  return {
    ...network,
    links: network.links.filter(({ name }) => !left.has(name)),
    addresses: network.addresses.filter(({ linkName }) => !left.has(linkName)),
    routes: network.routes.filter(({ outLinkName }) => !left.has(outLinkName)),
    operators: network.operators.filter(({ linkName }) => !left.has(linkName)),
  };
}

function deviceOf({ device }: IpArgument, names: LinkNames, known: readonly KnownLink[]): string {
  if (device !== '') return names.resolve(device);
  const first = known.find(isPhysicalLink) ?? known.find(({ type }) => type !== 'loopback');
  return first?.name ?? '';
}

/** The default route, and before it the way to a gateway that is in no network of the link. */
function gatewayRoutes({ device, address, gateway }: IpArgument, metric: number): readonly RouteSpec[] {
  if (gateway === undefined) return [];
  const everything = gateway.family === 'inet4' ? '0.0.0.0/0' : '::/0';
  const isNear = address !== undefined && prefixContains(address, gateway);
  const own = address?.address.family === 'inet4' ? address.address.text : '';
  const common = { linkName: device, metric, mtu: 0, table: '', layer: LAYER, protocol: 'boot' } as const;
  return [
    { ...common, destination: everything, gateway: gateway.text, source: '' },
    ...(isNear || gateway.family === 'inet6'
      ? []
      : [{ ...common, destination: `${gateway.text}/32`, gateway: '', source: own }]),
  ].flatMap((route) => {
    const reading = readRoute(route);
    return reading.ok ? [reading.spec] : [];
  });
}

function dhcp4(linkName: string): OperatorSpec {
  const { dhcp4: zero } = OperatorSpec.make();
  return OperatorSpec.make({
    operator: 'dhcp4',
    linkName,
    requireUp: true,
    dhcp4: { ...zero, routeMetric: DEFAULT_ROUTE_METRIC },
    layer: LAYER,
  });
}

function readHostname(name: string, problems: string[]): HostnameSpec | undefined {
  if (name === '') return undefined;
  const parts = fqdnParts(name);
  if (parts === undefined) problems.push(`host name "${name.slice(0, 200)}" is none`);
  return parts === undefined ? undefined : HostnameSpec.make({ ...parts, layer: LAYER });
}

const texts = (addresses: readonly IpAddress[]): readonly string[] => [...new Set(addresses.map(({ text }) => text))];
