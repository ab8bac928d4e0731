import { maskedPrefix, parsePrefix } from '../../ip/ip-prefix.ts';
import type { KernelAddress, KernelAddresses, NewAddress } from '../kernel.ts';
import { addressKey, routeKey } from '../kernel-keys.ts';
import { dropRoutesOfGoneAddress } from '../silent-routes.ts';
import { IFF_UP, nameOf, refusal, type SimulatedHost } from './simulated-host.ts';

const INET = 2;
const INET6 = 10;
const PERMANENT = 0x80;
const NOPREFIXROUTE = 0x200;
const MAIN = 254;
const PROTO_KERNEL = 2;
const SCOPE_LINK = 253;
const UNICAST = 1;

/** Addresses that behave as the kernel's do. */
export function simulatedAddresses(host: SimulatedHost): KernelAddresses {
  return {
    put: async (address) => put(host, address),
    remove: async (linkIndex, address) => remove(host, linkIndex, address),
    announce: async (linkIndex, address) => {
      const what = `announcing ${address} on ${nameOf(host, linkIndex)}`;
      host.link(what, linkIndex);
      if (!host.view.addresses.has(addressKey({ linkIndex, address }))) throw refusal(what, 'EADDRNOTAVAIL');
    },
  };
}

function put(host: SimulatedHost, { linkIndex, address, scope, flags, priority }: NewAddress): void {
  const what = `adding ${address} to ${nameOf(host, linkIndex)}`;
  const prefix = parsePrefix(address);
  if (prefix === undefined) throw refusal(what, 'EINVAL');
  const link = host.link(what, linkIndex);
  const isV4 = prefix.address.family === 'inet4';
  const old = host.view.addresses.get(addressKey({ linkIndex, address }));
  const added: KernelAddress = {
    linkIndex,
    family: isV4 ? INET : INET6,
    address,
    local: isV4 ? prefix.address.text : '',
    broadcast: '',
    anycast: '',
    multicast: '',
    scope,
    flags: flags | PERMANENT,
    priority,
  };
  if (old !== undefined) disconnectRoute(host, old);
  host.view.putAddress(added);
  if ((link.flags & IFF_UP) !== 0) connectRoute(host, added);
}

function remove(host: SimulatedHost, linkIndex: number, address: string): void {
  const what = `removing ${address} from ${nameOf(host, linkIndex)}`;
  host.link(what, linkIndex);
  const found = host.view.addresses.get(addressKey({ linkIndex, address }));
  if (found === undefined) throw refusal(what, 'EADDRNOTAVAIL', 'Address not found');
  disconnectRoute(host, found);
  host.view.dropAddress(addressKey(found));
  if (found.family === INET) dropRoutesOfGoneAddress(host.view, found);
}

/** The route to an address' own network, which the kernel makes. */
function connectedRoute(address: KernelAddress) {
  const prefix = parsePrefix(address.address);
  if (prefix === undefined || (address.flags & NOPREFIXROUTE) !== 0) return undefined;
  const isV4 = address.family === INET;
  if (isV4 && prefix.bits === 32) return undefined;
  return {
    family: address.family,
    destination: maskedPrefix(prefix).text,
    source: isV4 ? address.local : '',
    gateway: '',
    outLinkIndex: address.linkIndex,
    table: MAIN,
    priority: address.priority === 0 && !isV4 ? 256 : address.priority,
    scope: isV4 ? SCOPE_LINK : 0,
    type: UNICAST,
    flags: 0,
    protocol: PROTO_KERNEL,
    mtu: 0,
  };
}

/** Make the route to an address' own network, unless it is there. */
export function connectRoute(host: SimulatedHost, address: KernelAddress): void {
  const route = connectedRoute(address);
  if (route !== undefined && !host.view.routes.has(routeKey(route))) host.view.putRoute(route);
}

function disconnectRoute(host: SimulatedHost, address: KernelAddress): void {
  const route = connectedRoute(address);
  if (route !== undefined) host.view.dropRoute(routeKey(route));
}
