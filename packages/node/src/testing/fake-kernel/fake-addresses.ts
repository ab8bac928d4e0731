import type { KernelAddress, KernelAddresses, NewAddress } from '../../kernel/kernel.ts';
import { addressKey, routeKey } from '../../kernel/kernel-keys.ts';
import { dropRoutesOfGoneAddress } from '../../kernel/silent-routes.ts';
import { type FakeHost, IFF_UP, nameOf, refusal } from './fake-host.ts';
import { networkOf } from './network-of.ts';

const INET = 2;
const INET6 = 10;
const PERMANENT = 0x80;
const NOPREFIXROUTE = 0x200;
const MAIN = 254;
const PROTO_KERNEL = 2;
const SCOPE_LINK = 253;
const UNICAST = 1;

/** Addresses that behave as the kernel's do. */
export function fakeAddresses(host: FakeHost): KernelAddresses {
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

function put(host: FakeHost, { linkIndex, address, scope, flags, priority }: NewAddress): void {
  const what = `adding ${address} to ${nameOf(host, linkIndex)}`;
  const network = networkOf(address);
  if (network === undefined) throw refusal(what, 'EINVAL');
  const link = host.link(what, linkIndex);
  const [ip = ''] = address.split('/');
  const isV4 = network.family === INET;
  const old = host.view.addresses.get(addressKey({ linkIndex, address }));
  const added: KernelAddress = {
    linkIndex,
    family: network.family,
    address,
    local: isV4 ? ip : '',
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

function remove(host: FakeHost, linkIndex: number, address: string): void {
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
  const network = networkOf(address.address);
  if (network === undefined || (address.flags & NOPREFIXROUTE) !== 0) return undefined;
  const isV4 = network.family === INET;
  if (isV4 && network.length === 32) return undefined;
  return {
    family: network.family,
    destination: network.cidr,
    source: isV4 ? address.local : '',
    gateway: '',
    outLinkIndex: address.linkIndex,
    table: MAIN,
    priority: address.priority === 0 && network.family === INET6 ? 256 : address.priority,
    scope: isV4 ? SCOPE_LINK : 0,
    type: UNICAST,
    flags: 0,
    protocol: PROTO_KERNEL,
    mtu: 0,
  };
}

/** Make the route to an address' own network, unless it is there. */
export function connectRoute(host: FakeHost, address: KernelAddress): void {
  const route = connectedRoute(address);
  if (route !== undefined && !host.view.routes.has(routeKey(route))) host.view.putRoute(route);
}

function disconnectRoute(host: FakeHost, address: KernelAddress): void {
  const route = connectedRoute(address);
  if (route !== undefined) host.view.dropRoute(routeKey(route));
}
