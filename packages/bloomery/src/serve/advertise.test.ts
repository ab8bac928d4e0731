import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseAdvertisedHost, defaultRouteInterface, type InterfaceAddress } from './advertise.ts';

const addresses: readonly InterfaceAddress[] = [
  { interfaceName: 'lo', address: '127.0.0.1', family: 'IPv4', internal: true },
  { interfaceName: 'eth0', address: '10.0.0.5', family: 'IPv4', internal: false },
  { interfaceName: 'eth0', address: 'fe80::1', family: 'IPv6', internal: false },
  { interfaceName: 'eth1', address: '10.1.0.5', family: 'IPv4', internal: false },
];
const base = { listenHost: '0.0.0.0', dhcpInterface: undefined, defaultInterface: undefined, addresses };

describe('the advertised address', () => {
  it("is the listener's own when it is bound to one", () =>
    assert.equal(chooseAdvertisedHost({ ...base, listenHost: '127.0.0.1' }), '127.0.0.1'));
  it('prefers the DHCP interface, then the default route', () => {
    assert.equal(chooseAdvertisedHost({ ...base, dhcpInterface: 'eth1', defaultInterface: 'eth0' }), '10.1.0.5');
    assert.equal(chooseAdvertisedHost({ ...base, defaultInterface: 'eth1' }), '10.1.0.5');
    assert.equal(chooseAdvertisedHost(base), '10.0.0.5');
  });
  it('is unknown on a host with loopback only', () =>
    assert.equal(chooseAdvertisedHost({ ...base, addresses: addresses.slice(0, 1) }), undefined));
  it('reads the default route of the kernel', () => {
    const text = 'Iface\tDestination\tGateway\tFlags\nbr0\t0000000A\t00000000\t0001\neth7\t00000000\t0100000A\t0003\n';
    assert.equal(defaultRouteInterface(text), 'eth7');
  });
});
