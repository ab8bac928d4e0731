import fc from 'fast-check';
import type { Device, NodeConfig, NodeDocument } from '../config/node-config.ts';
import type { KernelLink, LinkChange } from '../kernel/kernel.ts';
import { LINK_FLAGS } from '../resources/enumerations.ts';
import { LinkSpec } from '../resources/links.ts';
import { type Disturbance, describeConvergence } from '../testing/describe-convergence.ts';
import { createFakeKernel, type FakeKernel } from '../testing/index.ts';
import { configOf, deviceOf, startLinkWorld } from './testing/link-world.ts';

const CARDS = ['eth0', 'eth1', 'eth2', 'eth3'] as const;
const MODES = ['balance-rr', 'active-backup', '802.3ad', 'balance-tlb'] as const;
const KEY = 'aaEHUyVXNa0VdPJyJ8pnXOOUDpxjcmzNXAYVDjKVMTM=';
const PEER = 'bB6WlFOR66Jx5rtPMIpxJ3s4XHyer9NCzqWPP7idGRo=';

const macOf = (name: string): string => `02:00:00:00:00:0${name.at(-1)}`;
const plug = (kernel: FakeKernel, name: string): void => void kernel.plug({ name, hardwareAddr: macOf(name) });

function host(): FakeKernel {
  const kernel = createFakeKernel();
  for (const name of CARDS) plug(kernel, name);
  return kernel;
}

/** What each card is for. */
type Use = 'nothing' | 'alone' | 'bond0' | 'bond1' | 'br0' | 'vrf0';

/** A choice of everything that a configuration can ask for; always one that the loader would take. */
interface Choice {
  readonly uses: readonly Use[];
  readonly mode: (typeof MODES)[number];
  readonly miimon: number;
  readonly stp: boolean;
  readonly table: number;
  /** VLAN ids by the link that they are on. */
  readonly vlans: readonly (readonly [parent: 'bond0' | 'eth0' | 'br0', id: number])[];
  readonly dummy: boolean;
  readonly wireguardPort: number;
  readonly veth: string;
  readonly mtu: number;
  /** The card that is called `net0`, too; empty: none. A bond has it as a member under this name. */
  readonly alias: string;
}

const anyChoice: fc.Arbitrary<Choice> = fc.record({
  uses: fc.tuple(...CARDS.map(() => fc.constantFrom<Use>('nothing', 'alone', 'bond0', 'bond1', 'br0', 'vrf0'))),
  mode: fc.constantFrom(...MODES),
  miimon: fc.constantFrom(0, 100),
  stp: fc.boolean(),
  table: fc.constantFrom(100, 200),
  vlans: fc.uniqueArray(
    fc.tuple(fc.constantFrom<'bond0' | 'eth0' | 'br0'>('bond0', 'eth0', 'br0'), fc.constantFrom(5, 6)),
    { maxLength: 3, selector: ([parent, id]) => `${parent}.${id}` },
  ),
  dummy: fc.boolean(),
  wireguardPort: fc.constantFrom(0, 51_820, 51_821),
  veth: fc.constantFrom('', 'pair1', 'pair2'),
  mtu: fc.constantFrom(0, 1400, 1500),
  alias: fc.constantFrom('', '', 'eth0', 'eth3'),
});

function configOfChoice(choice: Choice): NodeConfig {
  const members = (use: Use): readonly string[] => CARDS.filter((_, at) => choice.uses[at] === use);
  const { mode, miimon, stp, mtu } = choice;
  const none = { deviceSelectors: [] };
  const bond = (use: Use): Partial<Device> => ({
    bond: { ...none, interfaces: members(use), options: { mode, miimon } },
  });
  const devices: Device[] = [
    ...members('alone').map((name) => deviceOf(name, { mtu })),
    ...(['bond0', 'bond1'] as const)
      .filter((use) => members(use).length > 0)
      .map((use) => deviceOf(use, { mtu, ...bond(use) })),
    ...(members('br0').length > 0 ? [deviceOf('br0', { bridge: { ...none, interfaces: members('br0'), stp } })] : []),
    ...(choice.alias === '' ? [] : [deviceOf('bond2', { bond: { ...none, interfaces: ['net0'], options: { mode } } })]),
    ...(choice.dummy ? [deviceOf('dummy0', { dummy: true })] : []),
  ];
  const withVlans = devices.map((device) => ({
    ...device,
    vlans: choice.vlans
      .filter(([parent]) => parent === device.interface)
      .map(([, vlanId]) => ({ vlanId, mtu: 0, addresses: [], routes: [] })),
  }));
  return configOf(withVlans, documentsOfChoice(choice, members('vrf0')));
}

function documentsOfChoice(choice: Choice, links: readonly string[]): readonly NodeDocument[] {
  const documents: NodeDocument[] = [];
  const add = (kind: string, name: string, value: NodeDocument['value']): void => {
    documents.push({ kind, name, line: 1, value });
  };
  if (links.length > 0) add('VRFConfig', 'vrf0', { links, table: choice.table });
  if (choice.alias !== '') {
    const match = `mac(link.permanent_addr) == "${macOf(choice.alias)}"`;
    add('LinkAliasConfig', 'net0', { selector: { match } });
  }
  if (choice.veth !== '') add('VethConfig', 'pair0', { peer: { name: choice.veth } });
  if (choice.wireguardPort !== 0) {
    const peers = [{ publicKey: PEER, allowedIPs: ['10.0.0.0/8'], persistentKeepaliveInterval: '25s' }];
    add('WireguardConfig', 'wg0', { privateKey: KEY, listenPort: choice.wireguardPort, peers });
  }
  return documents;
}

/** What a configuration decides about the links of a host: the same after any history. */
async function decided(kernel: FakeKernel, config: NodeConfig): Promise<unknown> {
  const { links } = kernel.view;
  const nameOf = (index: number): string => links.get(index)?.name ?? '';
  const mentioned = new Set(config.machine?.network.interfaces.map((device) => device.interface));
  const facts = async (link: KernelLink): Promise<unknown> => ({
    name: link.name,
    kind: link.kind,
    alias: link.alias,
    master: nameOf(link.masterIndex),
    parent: link.kind === '' ? '' : nameOf(link.linkIndex),
    // Hardware that is not mentioned is left as it is.
    up: link.kind !== '' || mentioned.has(link.name) ? (link.flags & LINK_FLAGS.UP) !== 0 : undefined,
    mtu: config.machine?.network.interfaces.find((device) => device.interface === link.name)?.mtu
      ? link.mtu
      : undefined,
    vlan: link.vlan,
    vrf: link.vrf,
    bridge: link.bridge,
    bond: link.bond === undefined ? undefined : { mode: link.bond['mode'], miimon: link.bond['miimon'] },
    wireguard: link.kind === 'wireguard' ? await kernel.wireguard.read(link.name) : undefined,
  });
  const all = await Promise.all([...links.values()].map(facts));
  return all.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

const indexOf = ({ view }: FakeKernel, name: string): number => view.linkByName(name)?.index ?? 0;
const change =
  (name: string, values: LinkChange): Disturbance =>
  async (kernel) => {
    if (kernel.view.linkByName(name) !== undefined) await kernel.links.change(indexOf(kernel, name), values);
  };
const vanish =
  (name: string): Disturbance =>
  async (kernel) => {
    if (kernel.view.linkByName(name) !== undefined) await kernel.links.remove(indexOf(kernel, name));
  };

describeConvergence('links', {
  anyChoice,
  configOf: configOfChoice,
  host: async () => host(),
  start: (kernel, config) => startLinkWorld(kernel, config),
  decided,
  definitions: [LinkSpec],
  refused: {
    texts: ['link.create', 'link.change', 'link.remove', 'wireguard', 'bond0', 'eth1', 'master', 'up=true'],
    errnos: ['EBUSY', 'EPERM', 'EINVAL', 'ENOMEM'],
  },
  disturbances: {
    'eth1 is taken out': async (kernel) => {
      kernel.unplug('eth1');
      plug(kernel, 'eth1');
    },
    'eth0 goes down': change('eth0', { up: false }),
    'eth0 comes up': change('eth0', { up: true }),
    'eth0 gets another MTU': change('eth0', { mtu: 1280 }),
    'eth2 leaves its master': change('eth2', { masterIndex: 0 }),
    'bond0 goes down': change('bond0', { up: false }),
    'bond0 vanishes': vanish('bond0'),
    'br0 vanishes': vanish('br0'),
    'pair0 vanishes': vanish('pair0'),
    'wg0 vanishes': vanish('wg0'),
    'the cable of eth0 is pulled': async (kernel) => kernel.setCarrier('eth0', false),
    'the cable of eth0 is back': async (kernel) => kernel.setCarrier('eth0', true),
    'news are lost': async (kernel) => kernel.lose(),
  },
});
