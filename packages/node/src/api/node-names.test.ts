import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { AddressStatus, NodeAddress } from '../resources/addresses.ts';
import { HostnameStatus } from '../resources/names.ts';
import { isThisNode, nodeNames } from './node-names.ts';

describe('names of the node', () => {
  it('are its host name, with and without its domain, and what it may be dialled at', async () => {
    await using runtime = startTestRuntime([], { definitions: [HostnameStatus, NodeAddress, AddressStatus] });
    await runtime.put(HostnameStatus, 'hostname', HostnameStatus.make({ hostname: 'a', domainname: 'example' }));
    await runtime.put(NodeAddress, 'current', NodeAddress.make({ addresses: ['10.0.0.1/24'] }));
    for (const address of ['10.0.0.1/24', '127.0.0.1/8', 'fe80::1/64', '2001:DB8:0::2/64', '169.254.116.108/32']) {
      await runtime.put(AddressStatus, `eth0/${address}`, AddressStatus.make({ address }));
    }
    assert.deepEqual(nodeNames(runtime.state, '/nowhere'), {
      hostname: 'a',
      hostnames: ['a', 'a.example'],
      addresses: ['10.0.0.1', '2001:db8::2'],
    });
  });

  it('are none while nothing is known', async () => {
    await using runtime = startTestRuntime([], { definitions: [HostnameStatus, NodeAddress, AddressStatus] });
    assert.deepEqual(nodeNames(runtime.state, '/nowhere'), { hostname: '', hostnames: [], addresses: [] });
  });

  const names = { hostname: 'a', hostnames: ['a', 'a.example'], addresses: ['10.0.0.1', '2001:db8::2'] };
  const own = [
    '10.0.0.1',
    '10.0.0.1:50000',
    '2001:db8:0:0::2',
    '[2001:db8::2]:50000',
    '[2001:db8::2]',
    'A',
    'a.example',
  ];
  const local = ['localhost', '127.0.0.1', '127.9.9.9', '::1', '192.0.2.7', 'a:50000'];
  for (const target of [...own, ...local]) {
    it(`are meant by ${target}`, () => assert.ok(isThisNode(target, names, '192.0.2.7')));
  }
  for (const target of ['10.0.0.2', '2001:db8::3', 'b', '', 'example', '[', '10.0.0.1.example', ':50000']) {
    it(`are not meant by "${target}"`, () => assert.ok(!isThisNode(target, names, '192.0.2.7')));
  }
});
