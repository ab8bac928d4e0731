import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KernelBond } from '../kernel/kernel.ts';
import { bondMaster } from './bond-master.ts';
import { isBondDifferent, kernelBond } from './kernel-bond.ts';

/** What Linux 6 tells of a new bond. */
const NEW_BOND: KernelBond = {
  ...{ mode: 0, xmitHashPolicy: 0, lacpRate: 0, arpValidate: 0, arpAllTargets: 0, primaryReselect: 0, failOverMac: 0 },
  ...{ adSelect: 0, miimon: 0, updelay: 0, downdelay: 0, arpInterval: 0, resendIgmp: 1, minLinks: 0, lpInterval: 1 },
  ...{
    packetsPerSlave: 1,
    numPeerNotif: 1,
    tlbLogicalLb: 1,
    allSlavesActive: 0,
    useCarrier: 1,
    adActorSysPrio: 65_535,
  },
  ...{ adUserPortKey: 0, peerNotifyDelay: 0, adLacpActive: 1, missedMax: 2, arpIpTargets: [], nsIp6Targets: [] },
};
const of = (options: Readonly<Record<string, unknown>>, primary?: number, present?: KernelBond): KernelBond =>
  kernelBond(bondMaster(options, primary), present);

describe('a bond for the kernel', () => {
  const modeHas: readonly [mode: string, sent: readonly string[], not: readonly string[]][] = [
    [
      '802.3ad',
      ['lacpRate', 'adActorSysPrio', 'adUserPortKey'],
      ['arpInterval', 'arpIpTargets', 'missedMax', 'packetsPerSlave', 'primary', 'adLacpActive'],
    ],
    [
      'balance-rr',
      ['packetsPerSlave', 'arpInterval', 'missedMax', 'arpIpTargets'],
      ['lacpRate', 'adActorSysPrio', 'primary', 'nsIp6Targets'],
    ],
    ['active-backup', ['primary', 'arpValidate'], ['packetsPerSlave', 'tlbLogicalLb', 'lacpRate']],
    ['balance-alb', ['primary', 'tlbLogicalLb'], ['arpValidate', 'lacpRate']],
  ];
  for (const [mode, sent, not] of modeHas) {
    it(`of the mode ${mode} is told only what the mode has`, () => {
      const keys = Object.keys(of({ mode }, 3));
      assert.deepEqual(
        sent.filter((key) => !keys.includes(key)),
        [],
      );
      assert.deepEqual(
        not.filter((key) => keys.includes(key)),
        [],
      );
    });
  }

  it('has delays only when it looks for carriers', () => {
    assert.equal('updelay' in of({ updelay: 200 }), false);
    const { updelay, downdelay, peerNotifyDelay } = of({ miimon: 100, updelay: 200, peerNotifyDelay: 300 });
    assert.deepEqual([updelay, downdelay, peerNotifyDelay], [200, 0, 300]);
  });

  it('has numbers for words', () => {
    const { mode, xmitHashPolicy, lacpRate, adLacpActive } = of({
      mode: '802.3ad',
      xmitHashPolicy: 'layer3+4',
      lacpRate: 'fast',
      adLACPActive: 'off',
    });
    assert.deepEqual([mode, xmitHashPolicy, lacpRate, adLacpActive], [4, 1, 1, 0]);
  });
});

const comparisons: readonly [
  name: string,
  options: Readonly<Record<string, unknown>>,
  primary: number | undefined,
  present: KernelBond,
  different: boolean,
][] = [
  ['a new bond is as nothing said', {}, undefined, NEW_BOND, false],
  ['a mode differs', { mode: '802.3ad' }, undefined, NEW_BOND, true],
  ['802.3ad as told', { mode: '802.3ad', miimon: 100 }, undefined, { ...NEW_BOND, mode: 4, miimon: 100 }, false],
  [
    'missed probes do not count in 802.3ad',
    { mode: '802.3ad' },
    undefined,
    { ...NEW_BOND, mode: 4, missedMax: 9 },
    false,
  ],
  ['missed probes count elsewhere', {}, undefined, { ...NEW_BOND, missedMax: 9 }, true],
  [
    'no primary is told of a bond that has one',
    { mode: 'active-backup' },
    undefined,
    { ...NEW_BOND, mode: 1, primary: 3 },
    false,
  ],
  ['a primary that is no member yet', { mode: 'active-backup' }, 3, { ...NEW_BOND, mode: 1 }, false],
  ['another primary', { mode: 'active-backup' }, 3, { ...NEW_BOND, mode: 1, primary: 4 }, true],
  ['the primary', { mode: 'active-backup' }, 3, { ...NEW_BOND, mode: 1, primary: 3 }, false],
  [
    'LACPDUs are on when nothing is said',
    { mode: '802.3ad' },
    undefined,
    { ...NEW_BOND, mode: 4, adLacpActive: 0 },
    true,
  ],
  [
    'LACPDUs are off when that is said',
    { mode: '802.3ad', adLACPActive: 'off' },
    undefined,
    { ...NEW_BOND, mode: 4, adLacpActive: 0 },
    false,
  ],
  ['LACPDUs of other modes do not count', {}, undefined, { ...NEW_BOND, adLacpActive: 0 }, false],
  ['what an old kernel does not tell', { missedMax: 5 }, undefined, omit(NEW_BOND, 'missedMax'), false],
  [
    'targets that the kernel does not have',
    { arpIpTargets: ['10.0.0.1'] },
    undefined,
    omit(NEW_BOND, 'arpIpTargets'),
    true,
  ],
  ['targets of IPv6 that are no longer wanted', {}, undefined, { ...NEW_BOND, nsIp6Targets: ['fd00::1'] }, true],
  [
    'targets in another order',
    { arpIpTargets: ['10.0.0.1', '10.0.0.2'] },
    undefined,
    { ...NEW_BOND, arpIpTargets: ['10.0.0.2', '10.0.0.1'] },
    true,
  ],
];

function omit(bond: KernelBond, key: string): KernelBond {
  return Object.fromEntries(Object.entries(bond).filter(([name]) => name !== key));
}

describe('comparing bonds', () => {
  for (const [name, options, primary, present, different] of comparisons) {
    it(`${different ? 'differs' : 'is equal'}: ${name}`, () => {
      assert.equal(isBondDifferent(of(options, primary, present), present), different);
    });
  }

  it('is equal after the kernel did what it was told', () => {
    for (const present of [NEW_BOND, { ...NEW_BOND, adLacpActive: 0, nsIp6Targets: ['fd00::1'] }]) {
      for (const mode of [
        'balance-rr',
        'active-backup',
        'balance-xor',
        'broadcast',
        '802.3ad',
        'balance-tlb',
        'balance-alb',
      ]) {
        const after = { ...present, ...of({ mode, miimon: 100 }, 2, present) };
        assert.equal(isBondDifferent(of({ mode, miimon: 100 }, 2, after), after), false, mode);
      }
    }
  });
});
