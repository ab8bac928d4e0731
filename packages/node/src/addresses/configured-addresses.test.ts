import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadNodeConfig } from '../config/load-node-config.ts';
import { vlanLinkName } from '../links/vlan-link-name.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { addressId, configuredAddresses } from './configured-addresses.ts';
import { linkDocuments } from './link-document.ts';

const HEAD = 'version: v1alpha1\nmachine:\n  type: worker\n';

/** The addresses of a configuration as `id scope family priority`. */
function addressesOf(text: string): readonly string[] {
  const config = loadNodeConfig(text);
  const devices = config.machine?.network.interfaces ?? [];
  const { specs } = configuredAddresses(devices, linkDocuments(config), vlanLinkName);
  return specs.map((spec) => `${addressId(spec)} ${spec.scope} ${spec.family} ${spec.priority}`);
}

describe('addresses of the configuration', () => {
  it('are those of interfaces and of their VLANs, whose name of a long parent is shortened', () => {
    const text = `${HEAD}  network:
    interfaces:
      - interface: enp0s31f6np0
        addresses: [10.0.0.5/24, "2001:DB8::5/64"]
        vlans:
          - vlanId: 7
            addresses: [10.7.0.5/24]
`;
    assert.deepEqual(addressesOf(text), [
      'enp0s31f6np0/10.0.0.5/24 global inet4 0',
      'enp0s31f6np0/2001:db8::5/64 global inet6 0',
      `${vlanLinkName('enp0s31f6np0', 7)}/10.7.0.5/24 global inet4 0`,
    ]);
    assert.equal(vlanLinkName('enp0s31f6np0', 7).length <= 15, true);
  });

  it('without a length are a network of their own', () => {
    const text = `${HEAD}  network:\n    interfaces:\n      - interface: eth0\n        addresses: [10.0.0.5, "fd00::5"]\n`;
    assert.deepEqual(addressesOf(text), ['eth0/10.0.0.5/32 global inet4 0', 'eth0/fd00::5/128 global inet6 0']);
  });

  it('of ignored interfaces are none', () => {
    const text = `${HEAD}  network:\n    interfaces:\n      - interface: eth0\n        ignore: true\n        addresses: [10.0.0.5/24]\n`;
    assert.deepEqual(addressesOf(text), []);
  });

  it('also come from documents of every kind of link, with the metric of their routes', () => {
    const text = [
      HEAD,
      'apiVersion: v1alpha1\nkind: LinkConfig\nname: enp0s2\naddresses:\n  - address: 192.168.1.100/24\n    routePriority: 512\n  - address: fd00::1/64\n',
      'apiVersion: v1alpha1\nkind: DummyLinkConfig\nname: dummy1\naddresses:\n  - address: 192.168.3.5/32\n',
      'apiVersion: v1alpha1\nkind: VLANConfig\nname: enp0s2.34\nvlanID: 34\nparent: enp0s2\naddresses:\n  - address: 10.34.0.1/24\n',
    ].join('---\n');
    assert.deepEqual(addressesOf(text), [
      'enp0s2/192.168.1.100/24 global inet4 512',
      'enp0s2/fd00::1/64 global inet6 0',
      'dummy1/192.168.3.5/32 global inet4 0',
      'enp0s2.34/10.34.0.1/24 global inet4 0',
    ]);
  });

  it('come from both ends of a veth pair', () => {
    const value = {
      addresses: [{ address: '10.0.0.1/31' }],
      peer: { name: 'b', addresses: [{ address: '10.0.0.0/31' }] },
    };
    const links = linkDocuments({ documents: [{ kind: 'VethConfig', name: 'a', line: 1, value }] });
    assert.deepEqual(configuredAddresses([], links, vlanLinkName).specs.map(addressId), [
      'a/10.0.0.1/31',
      'b/10.0.0.0/31',
    ]);
  });

  it('that cannot be read are named and stop no other', () => {
    const value = { addresses: [{ address: 'nonsense' }, { address: '10.0.0.1/24' }, 7, null] };
    const links = linkDocuments({ documents: [{ kind: 'LinkConfig', name: 'eth0', line: 1, value }] });
    const { specs, unreadable } = configuredAddresses([], links, vlanLinkName);
    assert.deepEqual(specs.map(addressId), ['eth0/10.0.0.1/24']);
    assert.deepEqual(unreadable, [{ linkName: 'eth0', address: 'nonsense' }]);
  });

  it('are shown as Talos shows them', () => {
    const value = { addresses: [{ address: '10.0.0.1/24' }] };
    const links = linkDocuments({ documents: [{ kind: 'LinkConfig', name: 'eth0', line: 1, value }] });
    const [spec = AddressSpec.make()] = configuredAddresses([], links, vlanLinkName).specs;
    const yaml =
      'address: 10.0.0.1/24\nlinkName: eth0\nfamily: inet4\nscope: global\nflags: permanent\nlayer: configuration\n';
    assert.equal(AddressSpec.codec.toYaml(spec), yaml);
  });
});
