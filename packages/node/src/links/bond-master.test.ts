import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkSpec } from '../resources/links.ts';
import { type BondMaster, type BondOptions, bondMaster, bondWatchesByArp } from './bond-master.ts';

/** What Talos has for a bond of the mode balance-rr of which nothing else is said. */
const DEFAULTS: BondMaster = {
  ...LinkSpec.make().bondMaster,
  useCarrier: true,
  resendIgmp: 1,
  lpInterval: 1,
  packetsPerSlave: 1,
  numPeerNotif: 1,
  tlbLogicalLb: 1,
  missedMax: 2,
};

const cases: readonly [name: string, options: BondOptions, want: Partial<BondMaster>][] = [
  ['nothing said has the defaults', {}, {}],
  [
    '802.3ad has a system priority and is not watched by ARP',
    { mode: '802.3ad' },
    { mode: '802.3ad', adActorSysPrio: 65_535, missedMax: 0 },
  ],
  [
    'a given system priority stays',
    { mode: '802.3ad', adActorSysPrio: 7 },
    { mode: '802.3ad', adActorSysPrio: 7, missedMax: 0 },
  ],
  [
    'balance-alb balances statically unless told otherwise',
    { mode: 'balance-alb' },
    { mode: 'balance-alb', tlbLogicalLb: 0, missedMax: 0 },
  ],
  [
    'balance-tlb may balance dynamically',
    { mode: 'balance-tlb', tlbDynamicLb: 1 },
    { mode: 'balance-tlb', missedMax: 0 },
  ],
  [
    'options of an interface have their names',
    {
      mode: 'active-backup',
      miimon: 100,
      updelay: 200,
      downdelay: 300,
      resendIgmp: 4,
      peerNotifyDelay: 5,
      failOverMac: 'follow',
      primaryReselect: 'better',
    },
    {
      mode: 'active-backup',
      miimon: 100,
      updelay: 200,
      downdelay: 300,
      resendIgmp: 4,
      peerNotifyDelay: 5,
      failOverMac: 'follow',
      primaryReselect: 'better',
    },
  ],
  [
    'options of a document have theirs',
    {
      bondMode: 'active-backup',
      resendIGMP: 4,
      peerNotifDelay: 5,
      tlbLogicalLb: 0,
      missedMax: 9,
      arpInterval: 50,
      arpIpTargets: ['10.0.0.1'],
      nsIp6Targets: ['fd00::1'],
      arpValidate: 'filter-backup',
      arpAllTargets: 'all',
    },
    {
      mode: 'active-backup',
      resendIgmp: 4,
      peerNotifyDelay: 5,
      missedMax: 9,
      arpInterval: 50,
      arpIpTargets: ['10.0.0.1'],
      nsIp6Targets: ['fd00::1'],
      arpValidate: 'filter-backup',
      arpAllTargets: 'all',
    },
  ],
  ['targets of kernel arguments count', { arpIPTarget: ['10.0.0.1'] }, { arpIpTargets: ['10.0.0.1'] }],
  ['LACPDUs are switched by a word', { adLACPActive: 'off' }, { adLacpActive: 'off' }],
  ['or by what YAML 1.1 reads for it', { adLACPActive: true }, { adLacpActive: 'on' }],
  ['the carrier cannot be left out', { useCarrier: false }, {}],
  ['words that are none are left out', { mode: 'toString', lacpRate: 3, xmitHashPolicy: 'layer9' }, {}],
];

describe('settings of a bond', () => {
  for (const [name, options, want] of cases) {
    it(name, () => assert.deepEqual(bondMaster(options, undefined), { ...DEFAULTS, ...want }));
  }

  it('have the index of a primary', () => assert.equal(bondMaster({}, 7).primary, 7));

  it('watch by ARP in four modes', () => {
    assert.equal(['balance-rr', 'active-backup', 'balance-xor', 'broadcast'].every(bondWatchesByArp), true);
    assert.equal(['802.3ad', 'balance-tlb', 'balance-alb'].some(bondWatchesByArp), false);
  });
});
