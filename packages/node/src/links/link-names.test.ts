import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allLinkNames, linkNames } from './link-names.ts';
import { linkStatus } from './testing/link-status.ts';

const links = [
  linkStatus('eth0', { alias: 'uplink', altNames: ['enp6s0', 'enx4e958e8fe447'] }),
  linkStatus('eth1', { alias: 'eth0', altNames: ['uplink', 'enp7s0'] }),
];
const names = linkNames(links);

const cases: readonly [why: string, written: string, want: ReturnType<typeof names.find>][] = [
  ['a kernel name is a link', 'eth1', { name: 'eth1', by: 'name' }],
  ['an alternative name is a link', 'enx4e958e8fe447', { name: 'eth0', by: 'altName' }],
  ['an alias goes before an alternative name', 'uplink', { name: 'eth0', by: 'alias' }],
  ['a kernel name goes before an alias', 'eth0', { name: 'eth0', by: 'name' }],
  ['another name is nothing', 'eth7', undefined],
];

describe('names of links', () => {
  for (const [why, written, want] of cases) it(why, () => assert.deepEqual(names.find(written), want));

  it('that no link has stay as they are', () => assert.equal(names.resolve('eth7'), 'eth7'));

  it('are resolved to the kernel name', () => assert.equal(names.resolve('enp7s0'), 'eth1'));

  it('begin with the kernel name', () => {
    assert.deepEqual(links.map(allLinkNames), [
      ['eth0', 'uplink', 'enp6s0', 'enx4e958e8fe447'],
      ['eth1', 'eth0', 'uplink', 'enp7s0'],
    ]);
    assert.deepEqual(allLinkNames(linkStatus('lo')), ['lo']);
  });
});
