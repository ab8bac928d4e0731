import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KernelLink } from '../kernel/kernel.ts';
import { LINK_FLAGS } from '../resources/enumerations.ts';
import { LinkSpec } from '../resources/links.ts';
import { bondMaster } from './bond-master.ts';
import { kernelBond } from './kernel-bond.ts';
import { type LeavePlanning, type LinkPlanning, type LinkStep, planLeaving, planLink } from './plan-link.ts';

const UP = LINK_FLAGS.UP;
const MULTICAST = LINK_FLAGS.MULTICAST;

const kernelLink = (index: number, name: string, fields: Partial<KernelLink> = {}): KernelLink => ({
  ...{ index, name, type: 1, flags: 0, mtu: 1500, hardwareAddr: '02:00:00:00:00:01', permanentAddr: '' },
  ...{ broadcastAddr: '', queueDisc: '', masterIndex: 0, linkIndex: 0, operationalState: 0, kind: '', slaveKind: '' },
  ...{ alias: '', altNames: [], ...fields },
});

function planningOf(
  links: readonly KernelLink[],
  more: Partial<LinkPlanning & LeavePlanning> = {},
): LinkPlanning & LeavePlanning {
  const view = {
    links: new Map(links.map((link) => [link.index, link])),
    linkByName: (name: string) => links.find((link) => link.name === name),
  };
  return { view, isOurs: () => true, staying: [], isMade: () => true, ...more };
}

const spec = (fields: Partial<LinkSpec>): LinkSpec => LinkSpec.make({ name: 'it0', up: true, ...fields });
const made = (kind: string, fields: Partial<LinkSpec> = {}): LinkSpec =>
  spec({ logical: true, type: 'ether', kind, ...fields });
const vlan = (vlanID: number): Partial<LinkSpec> => ({ parentName: 'eth0', vlan: { vlanID, vlanProtocol: '802.1q' } });
const bond = (options: Readonly<Record<string, unknown>>) => bondMaster(options, 0);
const change = (change: Extract<LinkStep, { do: 'change' }>['change'], index = 5): LinkStep => ({
  do: 'change',
  index,
  change,
});

const it0 = (fields: Partial<KernelLink> = {}): KernelLink => kernelLink(5, 'it0', fields);
const eth0 = (fields: Partial<KernelLink> = {}): KernelLink => kernelLink(2, 'eth0', fields);
const bond0 = (fields: Partial<KernelLink> = {}): KernelLink => kernelLink(9, 'bond0', { kind: 'bond', ...fields });
const br0 = (fields: Partial<KernelLink> = {}): KernelLink => kernelLink(8, 'br0', { kind: 'bridge', ...fields });
const presentVlan = { kind: 'vlan', linkIndex: 2, vlan: { id: 5, protocol: 0x8100 } };
const inBond: Partial<LinkSpec> = { bondSlave: { masterName: 'bond0', slaveIndex: 0 } };
const inBridge: Partial<LinkSpec> = { bridgeSlave: { masterName: 'br0' } };
const rr = kernelBond(bond({}));

type Case = readonly [name: string, spec: LinkSpec, links: readonly KernelLink[], want: LinkStep | string];

/** A text: what it waits for, or why it is removed or refused. */
const cases: readonly Case[] = [
  ['hardware that is not there is waited for', spec({}), [], 'waits for link it0: there is none of this name'],
  ['hardware is found by its alternative names', spec({}), [eth0({ altNames: ['it0'] })], change({ up: true }, 2)],
  ['hardware as wanted is left alone', spec({}), [it0({ flags: UP, mtu: 9000 })], { do: 'nothing' }],
  ['a dummy is made', made('dummy'), [], { do: 'create', link: { name: 'it0', kind: 'dummy' } }],
  [
    'links that are made have no other names',
    made('dummy'),
    [eth0({ alias: 'it0' })],
    { do: 'create', link: { name: 'it0', kind: 'dummy' } },
  ],
  [
    'a link is made with its address',
    made('dummy', { hardwareAddr: '02::' }),
    [],
    { do: 'create', link: { name: 'it0', kind: 'dummy', hardwareAddr: '02::' } },
  ],
  ['WireGuard is made in its own way', made('wireguard'), [], { do: 'createWireguard', name: 'it0' }],
  ['a VLAN waits for its parent', made('vlan', vlan(5)), [], 'waits for its parent eth0: there is no such link'],
  [
    'a VLAN is made on its parent',
    made('vlan', vlan(5)),
    [eth0()],
    { do: 'create', link: { name: 'it0', kind: 'vlan', parentIndex: 2, vlan: { id: 5, protocol: 0x8100 } } },
  ],
  [
    'a bond is made with its settings',
    made('bond', { bondMaster: bond({}) }),
    [],
    { do: 'create', link: { name: 'it0', kind: 'bond', bond: rr } },
  ],
  [
    'a bridge is made and hears of no option that it has by itself',
    made('bridge'),
    [],
    { do: 'create', link: { name: 'it0', kind: 'bridge', bridge: {} } },
  ],
  [
    'a VRF is made with its table',
    made('vrf', { vrfMaster: { table: '100' } }),
    [],
    { do: 'create', link: { name: 'it0', kind: 'vrf', vrf: { table: 100 } } },
  ],
  [
    'a veth is made with its peer',
    made('veth', { veth: { peerName: 'p' } }),
    [],
    { do: 'create', link: { name: 'it0', kind: 'veth', veth: { peerName: 'p' } } },
  ],

  ['hardware is never removed', made('bridge'), [it0()], 'cannot make bridge it0: hardware has this name'],
  ['another kind is removed', made('bridge'), [it0({ kind: 'dummy' })], 'is of kind dummy, not bridge'],
  [
    'a bond with the type of its members is the bond',
    made('bond', { bondMaster: bond({}) }),
    [it0({ kind: 'bond', type: 32, flags: UP, bond: rr })],
    { do: 'nothing' },
  ],
  ['another VLAN id is removed', made('vlan', vlan(6)), [eth0(), it0(presentVlan)], 'VLAN id or protocol differs'],
  [
    'a VLAN of another parent is removed',
    made('vlan', vlan(5)),
    [eth0(), it0({ ...presentVlan, linkIndex: 3 })],
    'parent differs',
  ],
  [
    'a VLAN whose parent is unknown stays',
    made('vlan', vlan(5)),
    [it0({ ...presentVlan, flags: UP })],
    { do: 'nothing' },
  ],
  [
    'another table is removed',
    made('vrf', { vrfMaster: { table: '100' } }),
    [it0({ kind: 'vrf', vrf: { table: 200 } })],
    'routing table differs',
  ],
  [
    'another peer is removed',
    made('veth', { veth: { peerName: 'p' } }),
    [it0({ kind: 'veth', linkIndex: 6 }), kernelLink(6, 'q', { kind: 'veth', linkIndex: 5 })],
    'peer differs',
  ],
  [
    'a peer in another namespace is left alone',
    made('veth', { veth: { peerName: 'p' } }),
    [it0({ kind: 'veth', linkIndex: 2, flags: UP }), eth0({ linkIndex: 9 })],
    { do: 'nothing' },
  ],

  [
    'a bond that differs goes down first',
    made('bond', { bondMaster: bond({ miimon: 9 }) }),
    [it0({ kind: 'bond', bond: rr, flags: UP })],
    change({ up: false }),
  ],
  [
    'then it releases its members',
    made('bond', { bondMaster: bond({ miimon: 9 }) }),
    [it0({ kind: 'bond', bond: rr }), eth0({ masterIndex: 5 })],
    change({ masterIndex: 0 }, 2),
  ],
  [
    'then it is set',
    made('bond', { bondMaster: bond({ miimon: 9 }) }),
    [it0({ kind: 'bond', bond: rr })],
    change({ bond: kernelBond(bond({ miimon: 9 })) }),
  ],
  [
    'a bridge is set while it works',
    made('bridge', { bridgeMaster: { stp: { enabled: true }, vlan: { filteringEnabled: false } } }),
    [it0({ kind: 'bridge', flags: UP, bridge: { stp: false, vlanFiltering: false } })],
    change({ bridge: { stp: true } }),
  ],

  ['a link is brought up', spec({}), [it0()], change({ up: true })],
  ['a link is brought down', spec({ up: false }), [it0({ flags: UP })], change({ up: false })],
  [
    'a VLAN comes up after its parent',
    made('vlan', vlan(5)),
    [eth0(), it0(presentVlan)],
    'waits for its parent eth0 to be up',
  ],
  ['the MTU is set', spec({ mtu: 1400 }), [it0({ flags: UP })], change({ mtu: 1400 })],
  [
    'the address is set',
    spec({ hardwareAddr: '02:00:00:00:00:02' }),
    [it0({ flags: UP })],
    change({ hardwareAddr: '02:00:00:00:00:02' }),
  ],
  [
    'the address of a member of a bond is the bond’s',
    spec({ hardwareAddr: '02::', ...inBond }),
    [it0({ flags: UP, slaveKind: 'bond', masterIndex: 9 }), bond0()],
    { do: 'nothing' },
  ],
  [
    'multicast is switched off',
    spec({ multicast: false }),
    [it0({ flags: UP | MULTICAST })],
    change({ multicast: false }),
  ],
  ['multicast is switched on', spec({ multicast: true }), [it0({ flags: UP })], change({ multicast: true })],
  ['multicast as wanted is left', spec({ multicast: true }), [it0({ flags: UP | MULTICAST })], { do: 'nothing' }],

  [
    'a member waits for its master',
    spec(inBond),
    [it0({ flags: UP })],
    'waits for its master bond0: there is no such link',
  ],
  ['a member of a bond goes down first', spec(inBond), [it0({ flags: UP }), bond0()], change({ up: false })],
  ['a member of a bond is not brought up before', spec(inBond), [it0(), bond0()], change({ masterIndex: 9 })],
  ['a member of a bridge stays up', spec(inBridge), [it0({ flags: UP }), br0()], change({ masterIndex: 8 })],
  [
    'a member goes to another master',
    spec(inBridge),
    [it0({ flags: UP, masterIndex: 9 }), br0(), bond0()],
    change({ masterIndex: 8 }),
  ],
  ['a member stays with its master', spec(inBridge), [it0({ flags: UP, masterIndex: 8 }), br0()], { do: 'nothing' }],
  [
    'a link that is to be no member is released',
    spec({}),
    [it0({ flags: UP, masterIndex: 8 }), br0()],
    change({ masterIndex: 0 }),
  ],
];

const reasonOf = (step: LinkStep): LinkStep | string => ('reason' in step ? step.reason : step);

describe('the next step for a link', () => {
  for (const [name, wanted, links, want] of cases) {
    it(name, () => assert.deepEqual(reasonOf(planLink(wanted, planningOf(links))), want));
  }

  it('leaves members to masters that are not ours', () => {
    const planning = planningOf([it0({ flags: UP, masterIndex: 8 }), br0()], { isOurs: () => false });
    assert.deepEqual(planLink(spec({}), planning), { do: 'nothing' });
  });

  it('leaves a member to a master that another of its names wants it in', () => {
    const links = [it0({ flags: UP, masterIndex: 9, altNames: ['net0'] }), bond0()];
    const other = (fields: Partial<LinkSpec>): LinkPlanning =>
      planningOf(links, { staying: [spec({ name: 'net0', ...fields }), spec({})] });
    assert.deepEqual(planLink(spec({}), other(inBond)), { do: 'nothing' });
    assert.deepEqual(planLink(spec({}), other({})), change({ masterIndex: 0 }));
  });

  it('makes a card that joined its bond late the primary, in place, and only then', () => {
    const wanted = spec({
      ...{ name: 'bond0', logical: true, type: 'ether', kind: 'bond' },
      bondMaster: bondMaster({ mode: 'active-backup' }, 5),
    });
    const settings = kernelBond(wanted.bondMaster);
    const step = (masterIndex: number, primary: number): LinkStep =>
      planLink(
        wanted,
        planningOf([bond0({ flags: UP, bond: { ...settings, primary } }), it0({ masterIndex }), eth0()]),
      );
    assert.deepEqual(step(9, 0), change({ bond: { primary: 5 } }, 9));
    assert.deepEqual(step(9, 2), change({ bond: { primary: 5 } }, 9));
    assert.deepEqual(step(9, 5), { do: 'nothing' });
    assert.deepEqual(step(0, 0), { do: 'nothing' });
  });
});

const leaving: readonly Case[] = [
  ['what is gone is gone', made('dummy'), [], { do: 'nothing' }],
  ['what we made is removed', made('dummy'), [it0({ kind: 'dummy' })], 'not wanted any more'],
  ['what somebody else put in its place stays', made('dummy'), [it0({ kind: 'bridge' })], { do: 'nothing' }],
  ['hardware stays as it is', spec({ mtu: 9000 }), [it0({ flags: UP })], { do: 'nothing' }],
  [
    'hardware is released from the master it was given',
    spec(inBond),
    [it0({ masterIndex: 9 }), bond0()],
    change({ masterIndex: 0 }),
  ],
  [
    'hardware stays with the master that somebody else gave it',
    spec(inBond),
    [it0({ masterIndex: 8 }), br0()],
    { do: 'nothing' },
  ],
  [
    'hardware is released from a master of ours that it could not be taken out of for another',
    spec(inBridge),
    [it0({ masterIndex: 9 }), bond0()],
    change({ masterIndex: 0 }),
  ],
];

describe('the end of a link', () => {
  for (const [name, wanted, links, want] of leaving) {
    const planning = planningOf(links, { isOurs: (master) => master === 'bond0' });
    it(name, () => assert.deepEqual(reasonOf(planLeaving(wanted, planning)), want));
  }

  it('leaves a member where it is when another of its names keeps it there', () => {
    const leaving = (staying: LinkSpec): LinkStep =>
      planLeaving(
        spec({ name: 'net0', ...inBond }),
        planningOf([it0({ masterIndex: 9, altNames: ['net0'] }), bond0()], { staying: [staying] }),
      );
    assert.deepEqual(leaving(spec(inBond)), { do: 'nothing' });
    assert.deepEqual(leaving(spec(inBridge)), change({ masterIndex: 0 }));
  });

  it('leaves what was there before the daemon, but for the master that it was given', () => {
    const foreign = (link: Partial<KernelLink>, wanted: Partial<LinkSpec> = {}): LinkStep =>
      planLeaving(
        made('dummy', wanted),
        planningOf([it0({ kind: 'dummy', ...link }), bond0()], { isMade: () => false }),
      );
    assert.deepEqual(foreign({}), { do: 'nothing' });
    assert.deepEqual(foreign({ masterIndex: 9 }, inBond), change({ masterIndex: 0 }));
  });
});
