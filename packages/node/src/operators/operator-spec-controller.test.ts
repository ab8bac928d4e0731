import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { createFakeClock } from '@bloomery/ports';
import { DHCP_OPTION, dhcpAddresses, dhcpText } from '@bloomery/wire';
import { loadNodeConfig } from '../config/index.ts';
import { PROBLEM_ANNOTATION } from '../layers/index.ts';
import {
  ACTIVE_CONFIG,
  AddressSpec,
  HostnameSpec,
  HostnameStatus,
  LAYERED,
  LinkSpec,
  LinkStatus,
  MachineConfig,
  OperatorSpec,
  ResolverSpec,
  RouteSpec,
  TimeServerSpec,
} from '../resources/index.ts';
import { createFakeKernel, type FakeKernel, testEnvironment } from '../testing/index.ts';
import { DISCOVER, REQUEST } from './dhcp4/dhcp4-messages.ts';
import { operatorControllers } from './index.ts';
import type { LeaseStore } from './lease-store.ts';
import { createFakeDhcp4, type FakeDhcp4 } from './testing/fake-dhcp4.ts';
import { createLeaseMemory, type TestLeaseMemory } from './testing/lease-memory.ts';

const AT = { namespace: LAYERED };

const CONFIG = `apiVersion: v1alpha1
kind: DHCPv4Config
name: eth0
routeMetric: 512
clientIdentifier: mac
`;

const up = LinkStatus.make({
  index: 2,
  type: 'ether',
  hardwareAddr: '52:54:00:00:00:01',
  broadcastAddr: 'ff:ff:ff:ff:ff:ff',
  operationalState: 'up',
});

/** Remembers leases in memory, by operator and holder. */
interface TestLeases extends LeaseStore {
  readonly memories: ReadonlyMap<string, TestLeaseMemory>;
  /** Times that somebody waited for the disk. */
  waited: number;
}

function createLeases(): TestLeases {
  const memories = new Map<string, TestLeaseMemory>();
  const leases: TestLeases = {
    memories,
    waited: 0,
    memoryOf: (id, holder) => {
      const key = `${id} ${holder}`;
      const memory = memories.get(key) ?? createLeaseMemory();
      memories.set(key, memory);
      return memory;
    },
    settled: async () => {
      leases.waited += 1;
    },
  };
  return leases;
}

interface Rig extends AsyncDisposable {
  readonly runtime: TestRuntime;
  readonly leases: TestLeases;
  readonly kernel: FakeKernel;
  readonly server: FakeDhcp4;
  readonly addresses: () => readonly string[];
  readonly problem: () => string | undefined;
}

async function start(config = CONFIG): Promise<Rig> {
  const server = createFakeDhcp4();
  server.options = new Map([
    [DHCP_OPTION.ROUTER, dhcpAddresses(['10.0.0.1'])],
    [DHCP_OPTION.DNS, dhcpAddresses(['10.0.0.2'])],
    [DHCP_OPTION.TIME_SERVERS, dhcpAddresses(['10.0.0.3'])],
    [DHCP_OPTION.INTERFACE_MTU, Uint8Array.of(5, 120)],
    [DHCP_OPTION.HOST_NAME, dhcpText('given')],
  ]);
  const clock = createFakeClock(1_700_000_000_000);
  const kernel = createFakeKernel();
  const environment = testEnvironment({ clock, kernel });
  const dhcp6 = { open: () => Promise.reject(new Error('no IPv6 here')) };
  const leases = createLeases();
  const runtime = startTestRuntime(operatorControllers(environment, { dhcp4: server, dhcp6, leases }), {
    definitions: [MachineConfig, LinkStatus, LinkSpec, HostnameStatus],
    clock,
  });
  await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(config));
  return {
    runtime,
    leases,
    kernel,
    server,
    addresses: () => Object.keys(runtime.specs(AddressSpec, AT)),
    problem: () => runtime.state.get(OperatorSpec, 'dhcp4/eth0')?.metadata.annotations[PROBLEM_ANNOTATION],
    [Symbol.asyncDispose]: () => runtime[Symbol.asyncDispose](),
  };
}

describe('operators', () => {
  it('write what they obtain under their own id', async () => {
    await using rig = await start();
    const { runtime } = rig;
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.advance(10);
    assert.deepEqual(rig.addresses(), ['dhcp4/eth0/eth0/10.0.0.50/24']);
    assert.deepEqual(Object.keys(runtime.specs(RouteSpec, AT)), ['dhcp4/eth0/inet4/10.0.0.1//512']);
    assert.deepEqual(runtime.specs(LinkSpec, AT)['dhcp4/eth0/eth0']?.mtu, 1_400);
    assert.deepEqual(Object.keys(runtime.specs(ResolverSpec, AT)), ['dhcp4/eth0/resolvers']);
    assert.deepEqual(Object.keys(runtime.specs(TimeServerSpec, AT)), ['dhcp4/eth0/timeservers']);
    assert.deepEqual(runtime.specs(HostnameSpec, AT)['dhcp4/eth0/hostname']?.hostname, 'given');
    assert.equal(rig.server.seen[0]?.clientId, '01525400000001');
    assert.equal(rig.problem(), undefined);
  });

  it('wait for their link, and say so', async () => {
    await using rig = await start();
    const { runtime } = rig;
    await runtime.settled();
    assert.equal(rig.problem(), 'waits for link eth0');
    await runtime.put(LinkStatus, 'eth0', { ...up, operationalState: 'down' });
    assert.equal(rig.problem(), 'waits for link eth0, which is down');
    assert.equal(rig.server.seen.length, 0);
    await runtime.put(LinkStatus, 'eth0', { ...up, operationalState: 'unknown' });
    await runtime.advance(10);
    assert.deepEqual([rig.addresses().length, rig.problem()], [1, undefined]);
  });

  it('end with their link, and what they had obtained with them', async () => {
    await using rig = await start();
    const { runtime } = rig;
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.advance(10);
    await runtime.put(LinkStatus, 'eth0', { ...up, operationalState: 'down' });
    assert.deepEqual([rig.addresses(), Object.keys(runtime.specs(RouteSpec, AT))], [[], []]);
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.advance(10);
    assert.equal(rig.addresses().length, 1);
    await runtime.remove(LinkStatus, 'eth0');
    assert.deepEqual(rig.addresses(), []);
  });

  it('end with their configuration', async () => {
    await using rig = await start();
    const { runtime } = rig;
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.advance(10);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(CONFIG.replace('eth0', 'eth7')));
    assert.deepEqual([rig.addresses(), Object.keys(runtime.specs(OperatorSpec))], [[], ['dhcp4/eth7']]);
  });

  it('ask for the address that they had when their link is back', async () => {
    await using rig = await start();
    const { runtime, server } = rig;
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.advance(10);
    await runtime.put(LinkStatus, 'eth0', { ...up, operationalState: 'down' });
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.advance(10);
    assert.deepEqual(
      server.seen.map(({ type, requested }) => [type, requested]),
      [
        [DISCOVER, undefined],
        [REQUEST, '10.0.0.50'],
        [REQUEST, '10.0.0.50'],
      ],
    );
    assert.deepEqual([...rig.leases.memories.keys()], ['dhcp4/eth0 52:54:00:00:00:01 01525400000001']);
  });

  it('keep what they have without a gap when only their settings differ', async () => {
    await using rig = await start();
    const { runtime, kernel } = rig;
    const { index } = kernel.plug({ name: 'eth0' });
    await runtime.put(LinkStatus, 'eth0', { ...up, index });
    await runtime.advance(10);
    await kernel.addresses.put({ linkIndex: index, address: '10.0.0.50/24', scope: 0, flags: 0, priority: 0 });
    const events: string[] = [];
    runtime.state.watch(AddressSpec, AT, ({ type }) => void events.push(type));
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(CONFIG.replace('512', '513')));
    await runtime.advance(10);
    assert.deepEqual(events, ['updated']);
    assert.deepEqual(Object.keys(runtime.specs(RouteSpec, AT)), ['dhcp4/eth0/inet4/10.0.0.1//513']);
  });

  it('begin anew when the link has another address, or their settings differ; not for anything else', async () => {
    await using rig = await start();
    const { runtime, server } = rig;
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.advance(10);
    await runtime.put(LinkStatus, 'eth0', { ...up, mtu: 1_400, flags: 1 });
    await runtime.advance(10);
    assert.equal(server.seen.length, 2);
    await runtime.put(LinkStatus, 'eth0', { ...up, hardwareAddr: '52:54:00:00:00:02' });
    await runtime.advance(10);
    assert.deepEqual([server.seen.length, server.seen.at(-1)?.clientId], [4, '01525400000002']);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, loadNodeConfig(CONFIG.replace('512', '513')));
    await runtime.advance(10);
    assert.deepEqual(Object.keys(runtime.specs(RouteSpec, AT)), ['dhcp4/eth0/inet4/10.0.0.1//513']);
  });

  it('tell the name of the host, unless it is their own', async () => {
    await using rig = await start();
    const { runtime, server } = rig;
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.put(HostnameStatus, 'hostname', { hostname: 'given', domainname: '' });
    await runtime.advance(10_000);
    assert.equal(server.seen.length, 2);
    await runtime.put(HostnameStatus, 'hostname', { hostname: 'node-7', domainname: '' });
    await runtime.advance(1_000);
    assert.deepEqual([server.seen.length, server.seen.at(-1)?.hostname], [4, 'node-7']);
  });

  it('leave the routes out where the configuration wants it', async () => {
    await using rig = await start(`${CONFIG}ignoreRoutes: true\n`);
    await rig.runtime.put(LinkStatus, 'eth0', up);
    await rig.runtime.advance(10);
    assert.deepEqual([rig.addresses().length, Object.keys(rig.runtime.specs(RouteSpec, AT))], [1, []]);
  });

  it('say that nobody answers, and that the lease has ended', async () => {
    await using rig = await start();
    const { runtime, server } = rig;
    await runtime.put(LinkStatus, 'eth0', up);
    await runtime.advance(10);
    server.mood = 'silent';
    await runtime.advance(3_600_000);
    assert.deepEqual([rig.addresses(), rig.problem()], [[], 'no DHCP server answers on eth0']);
  });

  it('end when the daemon ends', async () => {
    const rig = await start();
    await rig.runtime.put(LinkStatus, 'eth0', up);
    await rig.runtime.advance(10);
    await rig[Symbol.asyncDispose]();
    assert.equal(rig.leases.waited, 1);
    const { length } = rig.server.seen;
    await rig.runtime.clock.advance(7_200_000);
    assert.deepEqual([rig.server.seen.length, rig.server.open], [length, 0]);
  });
});
