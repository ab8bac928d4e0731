import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import type { NodeConfig } from '../config/node-config.ts';
import { type IpPrefix, parsePrefix } from '../ip/ip-prefix.ts';
import { layeredId, PROBLEM_ANNOTATION } from '../layers/index.ts';
import { configOf } from '../links/testing/link-world.ts';
import {
  ACTIVE_CONFIG,
  HostnameSpec,
  HostnameStatus,
  Identity,
  LAYERED,
  MachineConfig,
  NodeAddress,
} from '../resources/index.ts';
import { testEnvironment } from '../testing/index.ts';
import { addressName, hostnameControllers, hostnameSpec, mergeHostnames, stableName } from './index.ts';

const prefix = (text: string): IpPrefix => parsePrefix(text) ?? assert.fail();

describe('host names', () => {
  const names: [name: string, want: readonly [hostname: string, domainname: string] | undefined][] = [
    ['worker-1', ['worker-1', '']],
    ['worker-1.example.org', ['worker-1', 'example.org']],
    ['a.', ['a', '']],
    ['', undefined],
    ['.example.org', undefined],
    ['two words', undefined],
    ['x'.repeat(63), ['x'.repeat(63), '']],
    ['x'.repeat(64), undefined],
    [`a.${'b'.repeat(252)}`, undefined],
  ];
  for (const [name, want] of names) {
    it(`${JSON.stringify(name.slice(0, 24))} is ${want === undefined ? 'none' : `${want[0].slice(0, 12)} of "${want[1]}"`}`, () => {
      const spec = hostnameSpec(name, 'operator');
      assert.deepEqual(spec, want && { hostname: want[0], domainname: want[1], layer: 'operator' });
    });
  }

  it('are made of addresses', () => {
    assert.equal(addressName(prefix('10.5.0.2/24')), 'talos-10-5-0-2');
    assert.equal(addressName(prefix('2001:db8::1/64')), 'talos-2001db81');
  });

  it('are made of identities, always the same', () => {
    // As a Talos machine of this identity names itself.
    assert.equal(stableName('fGdOI05hVrx3YMagLo0Bwxa2Nm9BAswWm8XLeEj0aS4'), 'talos-hwz-sw5');
    // One of 256 digests begins with a zero byte.
    assert.equal(stableName('id-487'), 'talos-6kk-2ym');
    assert.equal(stableName('id-34771'), 'talos-029-8aw');
    assert.equal(stableName('a'), stableName('a'));
    assert.notEqual(stableName('a'), stableName('b'));
  });

  it('of the highest layer win, the first of those on it that is one', () => {
    const spec = (hostname: string, layer: HostnameSpec['layer']) => HostnameSpec.make({ hostname, layer });
    const low = spec('low', 'default');
    assert.equal(mergeHostnames([low, spec('', 'operator')]).hostname, 'low');
    assert.equal(
      mergeHostnames([low, spec('', 'operator'), spec('a', 'operator'), spec('b', 'operator')]).hostname,
      'a',
    );
    assert.equal(mergeHostnames([]).hostname, '');
  });
});

interface World extends AsyncDisposable {
  readonly runtime: TestRuntime;
  /** What was asked of the host. */
  readonly host: string[];
  name(): string | undefined;
  apply(config: NodeConfig): Promise<void>;
}

async function start(config: NodeConfig, manageAll: boolean, refuse = ''): Promise<World> {
  const host: string[] = [];
  /** Each pass asks for the same: once is enough here. */
  const ask = (what: string): void => {
    if (!host.slice(-2).includes(what)) host.push(what);
  };
  const hostFiles = {
    keepHostname: async (hostname: string, domainname = '') => {
      if (hostname === refuse) throw new Error('read-only file system');
      ask(`${hostname}|${domainname}`);
    },
    original: async () => Buffer.from('own-name\n'),
    release: async (path: string) => ask(`release ${path.split('/').at(-1)}`),
  };
  const environment = testEnvironment({}, { manageAll });
  const runtime = startTestRuntime(hostnameControllers(environment, { hostFiles }), {
    definitions: [MachineConfig, NodeAddress, Identity],
  });
  runtime.state.create(MachineConfig, ACTIVE_CONFIG, config);
  await runtime.advance(1000);
  return {
    runtime,
    host,
    name: () => {
      const status = runtime.state.get(HostnameStatus, 'hostname')?.spec;
      return status && [status.hostname, status.domainname].filter((part) => part !== '').join('.');
    },
    apply: async (next) => {
      await runtime.put(MachineConfig, ACTIVE_CONFIG, next);
      await runtime.advance(1000);
    },
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

const bare = configOf([]);
const { machine } = bare;
const written = (hostname: string): NodeConfig => ({
  ...bare,
  text: hostname,
  ...(machine === undefined ? {} : { machine: { ...machine, network: { ...machine.network, hostname } } }),
});
const document = (value: Readonly<Record<string, unknown>>): NodeConfig =>
  configOf([], [{ kind: 'HostnameConfig', line: 1, value }]);
const address = NodeAddress.make({ addresses: ['10.5.0.2/24'] });

describe('the host name of the daemon', () => {
  it('is that of the configuration, by either of its ways', async () => {
    await using world = await start(written('node-1.example.org'), false);
    assert.equal(world.name(), 'node-1.example.org');
    await world.apply(document({ hostname: 'node-2' }));
    assert.equal(world.name(), 'node-2');
    assert.deepEqual(world.host, ['node-1|example.org', 'node-2|']);
  });

  it('is made of the default address where nobody gives one and everything is looked after', async () => {
    await using world = await start(bare, true);
    assert.equal(world.name(), undefined);
    await world.runtime.put(NodeAddress, 'default', address);
    await world.runtime.advance(1000);
    assert.equal(world.name(), 'talos-10-5-0-2');
    assert.deepEqual(world.host, ['talos-10-5-0-2|']);
  });

  it('is the own one of a host that is not looked after, and not set', async () => {
    await using world = await start(bare, false);
    assert.equal(world.name(), 'own-name');
    assert.deepEqual(world.host, ['release hostname', 'release domainname']);
  });

  it('is made of the identity when the configuration says so', async () => {
    await using world = await start(document({ auto: 'stable' }), false);
    assert.equal(world.name(), undefined);
    await world.runtime.put(Identity, 'local', { nodeId: 'some-node' });
    await world.runtime.advance(1000);
    assert.equal(world.name(), stableName('some-node'));
    assert.deepEqual(world.host, [`${stableName('some-node')}|`]);
  });

  it('is none when automatic names are off', async () => {
    await using world = await start(document({ auto: 'off' }), true);
    await world.runtime.put(NodeAddress, 'default', address);
    assert.equal(world.name(), undefined);
    assert.deepEqual(world.host, []);
  });

  it('of the network goes before automatic ones and after the configuration', async () => {
    await using world = await start(written('node-1'), true);
    const given = HostnameSpec.make({ hostname: 'leased', domainname: 'example.net', layer: 'operator' });
    await world.runtime.put(HostnameSpec, layeredId('operator', 'hostname'), given, { namespace: LAYERED });
    await world.runtime.put(NodeAddress, 'default', address);
    assert.equal(world.name(), 'node-1');
    await world.apply(bare);
    assert.equal(world.name(), 'leased.example.net');
    assert.deepEqual(world.host.at(-1), 'leased|example.net');
  });

  it('that cannot be set is told all the same, with what stands in its way', async () => {
    await using world = await start(written('node-1'), true, 'node-1');
    assert.equal(world.name(), 'node-1');
    const annotations = world.runtime.state.get(HostnameSpec, 'hostname')?.metadata.annotations;
    assert.equal(annotations?.[PROBLEM_ANNOTATION], 'read-only file system');
  });

  it('that is unusable is left out', async () => {
    await using world = await start(written('two words'), true);
    await world.runtime.put(NodeAddress, 'default', address);
    await world.runtime.advance(1000);
    assert.equal(world.name(), 'talos-10-5-0-2');
  });
});
