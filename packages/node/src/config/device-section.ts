import {
  entriesOf,
  field,
  isYamlList,
  mapAt,
  mapsAt,
  numberAt,
  scalarString,
  textAt,
  textsAt,
  type YamlMap,
} from '@bloomery/talos';
import { parseGoDurationMs } from '@bloomery/wire';
import type {
  Device,
  DeviceBond,
  DeviceBridge,
  DeviceRoute,
  DeviceSelector,
  DeviceVlan,
  DeviceWireguard,
  DhcpOptions,
} from './node-config.ts';

/** `{ [key]: value }` when the switch is set, else nothing. */
export function optionalFlag<K extends string>(map: YamlMap | undefined, key: K): { readonly [P in K]?: boolean } {
  const value = map === undefined ? undefined : field(map, key);
  const flags: { [P in K]?: boolean } = {};
  if (typeof value === 'boolean') flags[key] = value;
  return flags;
}

/** An element of `machine.network.interfaces`, validated. @param line where it begins in the whole text. */
export function deviceOf(device: YamlMap, line: number): Device {
  const selector = mapAt(device, 'deviceSelector');
  const bond = mapAt(device, 'bond');
  const bridge = mapAt(device, 'bridge');
  const bridgePort = textAt(mapAt(device, 'bridgePort'), 'master');
  const wireguard = mapAt(device, 'wireguard');
  return {
    interface: textAt(device, 'interface'),
    line,
    ...(selector === undefined ? {} : { deviceSelector: selectorOf(selector) }),
    ...linkPart(device),
    ...(bond === undefined ? {} : { bond: bondOf(bond) }),
    ...(bridge === undefined ? {} : { bridge: bridgeOf(bridge) }),
    ...(bridgePort === '' ? {} : { bridgePort: { master: bridgePort } }),
    vlans: mapsAt(device, 'vlans').map(vlanOf),
    ...(wireguard === undefined ? {} : { wireguard: wireguardOf(wireguard) }),
    ...optionalFlag(device, 'ignore'),
    ...optionalFlag(device, 'dummy'),
  };
}

const vlanOf = (vlan: YamlMap): DeviceVlan => ({ vlanId: numberAt(vlan, 'vlanId'), ...linkPart(vlan) });

/** What interfaces and their VLANs have in common. */
function linkPart(link: YamlMap): Omit<DeviceVlan, 'vlanId'> {
  const options = mapAt(link, 'dhcpOptions');
  const vip = mapAt(link, 'vip');
  return {
    addresses: [textAt(link, 'cidr'), textAt(link, 'address'), ...textsAt(link, 'addresses')].filter(
      (address) => address !== '',
    ),
    routes: mapsAt(link, 'routes').map(routeOf),
    mtu: numberAt(link, 'mtu'),
    ...optionalFlag(link, 'dhcp'),
    ...(options === undefined ? {} : { dhcpOptions: dhcpOptionsOf(options) }),
    ...(vip === undefined ? {} : { vip: { ip: textAt(vip, 'ip') } }),
  };
}

const routeOf = (route: YamlMap): DeviceRoute => ({
  network: textAt(route, 'network'),
  gateway: textAt(route, 'gateway'),
  source: textAt(route, 'source'),
  metric: numberAt(route, 'metric'),
  mtu: numberAt(route, 'mtu'),
});

function dhcpOptionsOf(options: YamlMap): DhcpOptions {
  const duidv6 = textAt(options, 'duidv6');
  return {
    routeMetric: numberAt(options, 'routeMetric'),
    ...optionalFlag(options, 'ipv4'),
    ...optionalFlag(options, 'ipv6'),
    ...(duidv6 === '' ? {} : { duidv6 }),
  };
}

const SELECTOR_KEYS = ['busPath', 'hardwareAddr', 'permanentAddr', 'pciID', 'driver'] as const;

function selectorOf(selector: YamlMap): DeviceSelector {
  const given = SELECTOR_KEYS.filter((key) => textAt(selector, key) !== '');
  return {
    ...Object.fromEntries(given.map((key) => [key, textAt(selector, key)])),
    ...optionalFlag(selector, 'physical'),
  };
}

function bondOf(bond: YamlMap): DeviceBond {
  const options = entriesOf(bond).flatMap(([key, value]): [string, DeviceBond['options'][string]][] => {
    if (key === 'interfaces' || key === 'deviceSelectors') return [];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [[key, value]];
    return isYamlList(value) ? [[key, value.map((item) => scalarString(item) ?? '')]] : [];
  });
  return {
    interfaces: textsAt(bond, 'interfaces'),
    deviceSelectors: mapsAt(bond, 'deviceSelectors').map(selectorOf),
    options: Object.fromEntries(options),
  };
}

function bridgeOf(bridge: YamlMap): DeviceBridge {
  const { enabled } = optionalFlag(mapAt(bridge, 'stp'), 'enabled');
  const { vlanFiltering } = optionalFlag(mapAt(bridge, 'vlan'), 'vlanFiltering');
  return {
    interfaces: textsAt(bridge, 'interfaces'),
    deviceSelectors: mapsAt(bridge, 'deviceSelectors').map(selectorOf),
    ...(enabled === undefined ? {} : { stp: enabled }),
    ...(vlanFiltering === undefined ? {} : { vlanFiltering }),
  };
}

const wireguardOf = (wireguard: YamlMap): DeviceWireguard => ({
  privateKey: textAt(wireguard, 'privateKey'),
  listenPort: numberAt(wireguard, 'listenPort'),
  firewallMark: numberAt(wireguard, 'firewallMark'),
  peers: mapsAt(wireguard, 'peers').map((peer) => {
    const presharedKey = textAt(peer, 'presharedKey');
    return {
      publicKey: textAt(peer, 'publicKey'),
      ...(presharedKey === '' ? {} : { presharedKey }),
      endpoint: textAt(peer, 'endpoint'),
      persistentKeepaliveMs: parseGoDurationMs(textAt(peer, 'persistentKeepaliveInterval')) ?? 0,
      allowedIPs: textsAt(peer, 'allowedIPs'),
    };
  }),
});
