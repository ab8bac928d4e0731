import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Device, NodeConfig, NodeDocument } from '../config/node-config.ts';
import type { Kernel, KernelLink } from '../kernel/kernel.ts';
import { kernelRefused } from '../kernel/kernel-error.ts';
import { PROBLEM_ANNOTATION } from '../layers/index.ts';
import { LINK_FLAGS } from '../resources/enumerations.ts';
import { LinkSpec } from '../resources/links.ts';
import { createFakeKernel, type FakeKernel } from '../testing/index.ts';
import { configOf, deviceOf, startLinkWorld } from './testing/link-world.ts';

const CARDS = ['eth0', 'eth1', 'eth2', 'eth3'] as const;
const MODES = ['balance-rr', 'active-backup', '802.3ad', 'balance-tlb'] as const;
const KEY = 'aaEHUyVXNa0VdPJyJ8pnXOOUDpxjcmzNXAYVDjKVMTM=';
const PEER = 'bB6WlFOR66Jx5rtPMIpxJ3s4XHyer9NCzqWPP7idGRo=';

function host(): FakeKernel {
  const kernel = createFakeKernel();
  for (const name of CARDS) kernel.plug({ name });
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

async function freshStart(config: NodeConfig): Promise<unknown> {
  const kernel = host();
  await using _world = await startLinkWorld(kernel, config);
  return decided(kernel, config);
}

/** Longer than any back-off. */
const LONG_MS = 200_000;
const RUNS = 60;

describe('links converge', () => {
  it('to what a fresh start gives, after any sequence of configurations', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyChoice, { minLength: 2, maxLength: 4 }), async (choices) => {
        const configs = choices.map(configOfChoice);
        const kernel = host();
        await using world = await startLinkWorld(kernel, configs[0]);
        for (const config of configs.slice(1)) await world.apply(config);
        const last = configs.at(-1) ?? configOf([]);
        assert.deepEqual(await decided(kernel, last), await freshStart(last));
      }),
      { numRuns: RUNS },
    );
  });

  it('when the kernel refuses anything for a while, and problems are shown only as long as they last', async () => {
    const anyFault = fc.record({
      text: fc.constantFrom(
        'link.create',
        'link.change',
        'link.remove',
        'wireguard',
        'bond0',
        'eth1',
        'master',
        'up=true',
      ),
      errno: fc.constantFrom('EBUSY', 'EPERM', 'EINVAL', 'ENOMEM'),
      times: fc.integer({ min: 1, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(anyChoice, anyChoice, fc.array(anyFault, { maxLength: 4 }), async (first, second, faults) => {
        const kernel = host();
        const last = configOfChoice(second);
        await using world = await startLinkWorld(kernel, configOfChoice(first));
        for (const { text, errno, times } of faults) kernel.refuse(text, errno, times);
        await world.apply(last);
        for (let i = 0; i < 12; i++) await world.runtime.advance(LONG_MS);
        assert.deepEqual(await decided(kernel, last), await freshStart(last));
        const problems = world.runtime.state
          .list(LinkSpec)
          .map(({ metadata }) => metadata.annotations[PROBLEM_ANNOTATION]);
        assert.deepEqual(
          problems.filter((problem) => problem !== undefined),
          [],
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('when the daemon is killed before any operation and started again', async () => {
    await fc.assert(
      fc.asyncProperty(anyChoice, async (choice) => {
        const config = configOfChoice(choice);
        const want = await freshStart(config);
        for (let operations = 0; ; operations++) {
          const kernel = host();
          const mortal = dyingAfter(kernel, operations);
          await (await startLinkWorld(mortal.kernel, config))[Symbol.asyncDispose]();
          await using _again = await startLinkWorld(kernel, config);
          assert.deepEqual(await decided(kernel, config), want, `killed before operation ${operations}`);
          if (!mortal.isDead()) break;
        }
      }),
      { numRuns: 8 },
    );
  });
});

/** A kernel that does so many changes and then none any more, as for a process that is gone. */
function dyingAfter(
  kernel: FakeKernel,
  operations: number,
): { readonly kernel: Kernel; readonly isDead: () => boolean } {
  let left = operations;
  let dead = false;
  const mortal =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      dead ||= left-- <= 0;
      if (dead) throw kernelRefused('asking for anything', { errno: 4 });
      return act(...args);
    };
  const { links, wireguard } = kernel;
  return {
    isDead: () => dead,
    kernel: {
      ...kernel,
      links: { create: mortal(links.create), remove: mortal(links.remove), change: mortal(links.change) },
      wireguard: { ...wireguard, create: mortal(wireguard.create), configure: mortal(wireguard.configure) },
    },
  };
}
