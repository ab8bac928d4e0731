import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readBondArgument, readVlanArgument } from './link-arguments.ts';

describe('bond=', () => {
  const cases: [name: string, text: string, want: unknown][] = [
    [
      'has a name, links, options and an MTU',
      'bond1:eth3,eth4:mode=802.3ad,xmit_hash_policy=layer2+3,lacp_rate=fast,miimon=100,use_carrier=1:1450',
      {
        value: {
          name: 'bond1',
          interfaces: ['eth3', 'eth4'],
          options: { mode: '802.3ad', xmitHashPolicy: 'layer2+3', lacpRate: 'fast', miimon: 100, useCarrier: true },
          mtu: 1450,
        },
      },
    ],
    [
      'has eth0 and eth1 unless it names others',
      'bond0',
      { value: { name: 'bond0', interfaces: ['eth0', 'eth1'], options: {}, mtu: 0 } },
    ],
    [
      'lists ARP targets with semicolons',
      'bond0:a:arp_ip_target=10.0.0.1;10.0.0.2,num_unsol_na=3',
      {
        value: {
          name: 'bond0',
          interfaces: ['a'],
          options: { arpIPTarget: ['10.0.0.1', '10.0.0.2'], numPeerNotif: 3 },
          mtu: 0,
        },
      },
    ],
    ['without a name is refused', ':a', { problem: 'it names no bond' }],
    ['with an option nobody knows is refused', 'b:a:speed=fast', { problem: 'unknown option speed' }],
    [
      'with an option that is only a word of JavaScript is refused',
      'b:a:constructor=1',
      { problem: 'unknown option constructor' },
    ],
    ['with an option without its value is refused', 'b:a:mode', { problem: 'option mode has no value' }],
    ['with a number that is none is refused', 'b:a:miimon=x', { problem: 'option miimon: "x" is no number' }],
    ['with a word nobody knows is refused', 'b:a:mode=fast', { problem: 'option mode: "fast" is not known' }],
    ['with an MTU that is none is refused', 'b:a::jumbo', { problem: 'MTU "jumbo" is no number' }],
  ];
  for (const [name, text, want] of cases) it(name, () => assert.deepEqual(readBondArgument(text), want));
});

describe('vlan=', () => {
  const cases: [name: string, text: string, want: unknown][] = [
    ['has its number behind a dot', 'eth1.169:eth1', { value: { vlanId: 169, parent: 'eth1' } }],
    ['has its number behind "vlan"', 'vlan0007:eth1', { value: { vlanId: 7, parent: 'eth1' } }],
    ['without a link is refused', 'eth1.5', { problem: 'it names no link behind a colon' }],
    ['without a number is refused', 'storage:eth1', { problem: '"storage" has no VLAN number, as in eth0.5 or vlan5' }],
    ['out of range is refused', 'vlan4096:eth1', { problem: 'VLAN 4096 is not between 1 and 4095' }],
    ['of number 0 is refused', 'eth1.0:eth1', { problem: 'VLAN 0 is not between 1 and 4095' }],
  ];
  for (const [name, text, want] of cases) it(name, () => assert.deepEqual(readVlanArgument(text), want));

  it('and bond= are read whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (text) => {
        readBondArgument(text);
        readVlanArgument(text);
      }),
    );
  });
});
