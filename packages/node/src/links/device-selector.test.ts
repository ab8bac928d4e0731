import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { DeviceSelector } from '../config/node-config.ts';
import { LinkStatus } from '../resources/links.ts';
import { matchesGlob, matchesSelector, selectLinks, selectMembers, selectorText } from './device-selector.ts';
import { linkStatus } from './testing/link-status.ts';

const globs: readonly [pattern: string, text: string, want: boolean][] = [
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'anything', true],
  ['**', 'anything', true],
  ['e1000e', 'e1000e', true],
  ['e1000', 'e1000e', false],
  ['e1000*', 'e1000e', true],
  ['*1000*', 'e1000e', true],
  ['0000:*:00.0', '0000:07:00.0', true],
  ['0000:*:00.0', '0000:07:00.1', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-c-b', false],
  // What is in front and what is behind may not share a character.
  ['ab*ba', 'aba', false],
  ['a*a', 'a', false],
  // Nothing else is special.
  ['e100?e', 'e1000e', false],
  ['[e]1000e', 'e1000e', false],
  ['!x', 'y', false],
  ['E1000E', 'e1000e', false],
  ['a.c', 'abc', false],
];

describe('globs of device selectors', () => {
  for (const [pattern, text, want] of globs) {
    it(`${JSON.stringify(pattern)} ${want ? 'matches' : 'does not match'} ${JSON.stringify(text)}`, () => {
      assert.equal(matchesGlob(pattern, text), want);
    });
  }

  it('match what the same regular expression matches', () => {
    const word = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 }).map((letters) => letters.join(''));
    fc.assert(
      fc.property(word, word, (pattern, raw) => {
        const text = raw.replaceAll('*', 'c');
        const expected = new RegExp(`^${pattern.replaceAll('*', '[^]*')}$`).test(text);
        assert.equal(matchesGlob(pattern, text), expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('take no time over a hostile pattern', () => {
    assert.equal(matchesGlob(`${'a*'.repeat(5_000)}b`, 'a'.repeat(20_000)), false);
  });
});

const card = linkStatus('eth1', {
  hardwareAddr: '4e:95:8e:8f:e4:48',
  permanentAddr: '00:11:22:33:44:55',
  pciID: '8086:10D3',
  driver: 'e1000e',
  busPath: '0000:07:00.0',
});
const virtual = linkStatus('bond0', { kind: 'bond', hardwareAddr: '4e:95:8e:8f:e4:48', driver: 'bonding' });

const selections: readonly [name: string, selector: DeviceSelector, want: readonly [card: boolean, bond: boolean]][] = [
  ['an empty selector means nothing', {}, [false, false]],
  ['empty texts count as not given', { driver: '' }, [false, false]],
  ['physical alone selects hardware', { physical: true }, [true, false]],
  ['not physical alone selects the others', { physical: false }, [false, true]],
  ['an address matches everything that has it', { hardwareAddr: '4e:95:8e:8f:e4:48' }, [true, true]],
  ['all keys must match', { driver: 'e1000e', busPath: '0000:08:*' }, [false, false]],
  ['physical narrows', { hardwareAddr: '4e:*', physical: true }, [true, false]],
  ['not physical narrows', { hardwareAddr: '4e:*', physical: false }, [false, true]],
  ['a star matches the empty text, too', { permanentAddr: '*' }, [true, true]],
  ['letters keep their case', { pciID: '8086:10d3' }, [false, false]],
];

describe('device selectors', () => {
  for (const [name, selector, want] of selections) {
    it(name, () =>
      assert.deepEqual(
        [card, virtual].map((link) => matchesSelector(selector, link)),
        want,
      ),
    );
  }

  it('give links in the order of their names', () => {
    const links = ['eth10', 'eth2', 'br0'].map((name) => linkStatus(name));
    assert.deepEqual(selectLinks({ physical: true }, links), ['br0', 'eth10', 'eth2']);
  });

  it('say in words what they look for', () => {
    assert.equal(selectorText({ driver: 'e1000*', physical: true, busPath: '' }), 'driver: e1000*, physical: true');
  });
});

describe('members of bonds and bridges', () => {
  const address = '52:54:00:00:00:01';
  /** Two members of a bond: both show the bond's address. */
  const enslaved = [
    linkStatus('eth0', { hardwareAddr: address, permanentAddr: address, slaveKind: 'bond' }),
    linkStatus('eth1', { hardwareAddr: address, permanentAddr: '52:54:00:00:00:02', slaveKind: 'bond' }),
    linkStatus('bond0', { kind: 'bond', hardwareAddr: address }),
    linkStatus('bond0.5', { kind: 'vlan', hardwareAddr: address }),
  ];

  // https://github.com/siderolabs/talos/issues/7331
  it('are the same while the bond is there: neither it nor its VLANs nor the other members', () => {
    assert.deepEqual(selectMembers([{ hardwareAddr: address }], enslaved), ['eth0']);
  });

  it('stand once each, in the order of the selectors', () => {
    const selectors = [{ permanentAddr: '*:02' }, { physical: true }, { hardwareAddr: address }];
    assert.deepEqual(selectMembers(selectors, enslaved), ['eth1', 'eth0']);
  });

  it('are found by the address they have where the hardware tells no other', () => {
    assert.deepEqual(selectMembers([{ hardwareAddr: '02:*' }], [linkStatus('eth0', { hardwareAddr: '02:00' })]), [
      'eth0',
    ]);
  });

  it('are found by an address that somebody gave them, when no hardware was made with it', () => {
    const given = linkStatus('eth2', { hardwareAddr: '02:00:00:00:00:03', permanentAddr: '52:54:00:00:00:03' });
    assert.deepEqual(selectMembers([{ hardwareAddr: '02:*' }], [...enslaved, given]), ['eth2']);
    assert.deepEqual(selectMembers([{ hardwareAddr: '*:03' }], [...enslaved, given]), ['eth2']);
    const likeTheFirst = linkStatus('eth2', { hardwareAddr: address, permanentAddr: '52:54:00:00:00:03' });
    assert.deepEqual(selectMembers([{ hardwareAddr: address }], [...enslaved, likeTheFirst]), ['eth0']);
  });

  it('are never links of other types', () => {
    const lo = { ...linkStatus('lo'), spec: LinkStatus.make({ type: 'loopback' }) };
    assert.deepEqual(selectMembers([{ hardwareAddr: '*' }, { physical: false }], [lo, ...enslaved.slice(2)]), []);
  });
});
