import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkSpec } from '../resources/links.ts';
import { inLinkOrder } from './link-order.ts';
import { resourceOf } from './testing/resource-of.ts';

const spec = (name: string, fields: Partial<LinkSpec> = {}) =>
  resourceOf(LinkSpec, name, LinkSpec.make({ name, ...fields }));

describe('the order of links', () => {
  it('is by name, with members behind their master, in their order', () => {
    const member = (name: string, slaveIndex: number) => spec(name, { bondSlave: { masterName: 'bond0', slaveIndex } });
    const links = [
      spec('lo'),
      member('eth0', 1),
      member('a9', 2),
      member('eth1', 0),
      spec('bond0'),
      spec('bond00'),
      spec('eth2', { vrfSlave: { masterName: 'vrf0' } }),
      spec('eth3', { bridgeSlave: { masterName: 'br0' } }),
      spec('br0'),
      spec('vrf0'),
    ];
    const want = ['bond0', 'eth1', 'eth0', 'a9', 'bond00', 'br0', 'eth3', 'lo', 'vrf0', 'eth2'];
    assert.deepEqual(
      inLinkOrder(links).map(({ spec: { name } }) => name),
      want,
    );
  });

  it('begins with what goes', () => {
    const leaving = resourceOf(LinkSpec, 'z', LinkSpec.make({ name: 'z' }), 'tearingDown');
    assert.deepEqual(
      inLinkOrder([spec('a'), leaving, spec('b')]).map(({ spec: { name } }) => name),
      ['z', 'a', 'b'],
    );
  });
});
