import assert from 'node:assert/strict';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { createGrpcClient, createGrpcHandler } from '@bloomery/grpc';
import { createObjectCache, findCondition } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import type { JsonObject, Server } from '@bloomery/model';
import { ANNOTATIONS, secret, server, serverBinding } from '@bloomery/model';
import { createFakeClock, type FakeClock, silentLog, systemClock } from '@bloomery/ports';
import { agentProto } from '@bloomery/wire';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Refusal } from '../../boot/boot-sessions.ts';
import { createWipeBudget } from '../wipe-guard.ts';
import type { AgentServiceDeps } from './agent-deps.ts';
import { createAgentService } from './agent-service.ts';

const UUID = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const ZERO = '00000000-0000-0000-0000-000000000000';
const MAC = '52:54:00:77:00:01';
const OTHER_MAC = '52:54:00:77:00:02';
const TOKEN = 'the-token';

type Hardware = MessageInitShape<typeof agentProto.HardwareInformationSchema>;
type Orders = readonly [wipe: boolean, insecure: boolean, setupBmc: boolean, rebootTimeout: number];

interface Plane {
  readonly client: MemoryClient;
  readonly clock: FakeClock;
  readonly events: string[];
  readonly agent: ReturnType<typeof agentOf>;
  /** The same as a machine that knows its token. */
  readonly trusted: ReturnType<typeof agentOf>;
  get(name?: string): Promise<Server>;
  register(hardware?: Hardware, hostname?: string): Promise<Orders>;
  /** Merge into the object, or into its status. */
  change(body: JsonObject, subresource?: 'status'): Promise<void>;
  bind(): Promise<void>;
}

function agentOf(port: number, token?: string) {
  const grpc = createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock });
  after(() => grpc.close());
  const calls = grpc.service(agentProto.Agent);
  const options = token === undefined ? {} : { metadata: { 'sidero.token': token } };
  return {
    createServer: (request: Parameters<typeof calls.createServer>[0]) => calls.createServer(request, options),
    markServerAsWiped: (request: { uuid: string }) => calls.markServerAsWiped(request, options),
    heartbeat: (request: { uuid: string }) => calls.heartbeat(request, options),
    reconcileServerAddresses: (request: Parameters<typeof calls.reconcileServerAddresses>[0]) =>
      calls.reconcileServerAddresses(request, options),
    updateBMCInfo: (request: Parameters<typeof calls.updateBMCInfo>[0]) => calls.updateBMCInfo(request, options),
  };
}

async function startPlane(options: Partial<AgentServiceDeps> = {}): Promise<Plane> {
  const clock = createFakeClock(1_700_000_000_000);
  const client = createMemoryClient({ clock });
  const cache = createObjectCache();
  const events: string[] = [];
  const reason: Refusal = 'TokenWrong';
  const deps: AgentServiceDeps = {
    client,
    cache,
    clock,
    log: silentLog,
    events: { record: (about, event) => void events.push(`${about.metadata.name} ${event.reason}`) },
    timeline: { record() {} },
    sessions: { checkAgent: (_server, token) => (token === TOKEN ? { ok: true } : { ok: false, reason }) },
    budget: createWipeBudget(clock, () => []),
    autoAccept: false,
    autoBmcSetup: true,
    insecureWipe: true,
    rebootTimeoutMs: 1_200_000,
    insecureMetadata: false,
    ...options,
  };
  const http = createServer();
  http.on('stream', createGrpcHandler([createAgentService(deps)], { log: silentLog, clock: systemClock }));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  after(() => http.close());
  const { port } = http.address() as AddressInfo;
  const agent = agentOf(port);
  const settle = async (): Promise<void> => {
    for (const object of (await client.list(server)).items) cache.put(server, object);
  };
  return {
    client,
    clock,
    events,
    agent,
    trusted: agentOf(port, TOKEN),
    get: (name = UUID) => client.get(server, { name }),
    async register(hardware = machine(UUID, MAC), hostname = 'host') {
      const answer = await agent.createServer({ hardware, hostname });
      await settle();
      return [answer.wipe, answer.insecureWipe, answer.setupBmc, answer.rebootTimeout];
    },
    async change(body, subresource) {
      await client.patch(server, { name: UUID }, { type: 'merge', body }, subresource && { subresource });
    },
    async bind() {
      await client.create(serverBinding, {
        apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
        kind: 'ServerBinding',
        metadata: { name: UUID },
        spec: { metalMachineRef: { name: 'm', namespace: 'default' } },
      });
    },
  };
}

function machine(uuid: string, mac: string, serialNumber = '') {
  return {
    system: { uuid, serialNumber },
    network: { interfaces: [{ index: 1, name: 'eth0', mac }] },
  };
}

const accepted = { spec: { accepted: true } };
const status = (name: string): object => ({ code: 'BLM_GRPC_STATUS', facts: { status: name } });

describe('CreateServer', () => {
  it('makes a Server that waits for somebody to accept it', async () => {
    const { register, get, events } = await startPlane();
    assert.deepEqual(await register(machine(UUID.toUpperCase(), MAC)), [false, false, false, 0]);
    const { spec, status: seen } = await get();
    assert.deepEqual([spec?.accepted, spec?.hostname, spec?.hardware?.system?.uuid], [false, 'host', UUID]);
    assert.equal(seen?.conditions, undefined);
    assert.deepEqual(events, [`${UUID} Registered`, `${UUID} UnacceptedSeen`]);
  });

  it('accepts at once and orders the wipe where that is wanted', async () => {
    const { register, get } = await startPlane({ autoAccept: true });
    assert.deepEqual(await register(), [true, true, true, 1200]);
    const { status: seen } = await get();
    const cycle = findCondition(seen?.conditions, 'PowerCycle');
    assert.deepEqual([cycle?.status, cycle?.message], ['False', 'Server wipe in progress.']);
    assert.notEqual(seen?.wipe?.startedAt, undefined);
  });

  it('orders full wipes and leaves BMCs alone where that is wanted', async () => {
    const { register } = await startPlane({ autoAccept: true, insecureWipe: false, autoBmcSetup: false });
    assert.deepEqual(await register(), [true, false, false, 1200]);
  });

  it('is asked twice for one Server without harm', async () => {
    const { register, events, client } = await startPlane({ autoAccept: true });
    await register();
    assert.deepEqual(await register(), [true, true, true, 1200]);
    assert.equal((await client.list(server)).items.length, 1);
    assert.equal(events.filter((event) => event.endsWith('Registered')).length, 1);
  });

  it('orders nothing for a Server in use, whatever its status says', async () => {
    const { register, change, bind } = await startPlane();
    await register();
    await change(accepted);
    await bind();
    assert.deepEqual(await register(), [false, false, false, 0]);
  });

  const guarded: readonly [what: string, annotation: string][] = [
    ['protected', ANNOTATIONS.protect],
    ['paused', ANNOTATIONS.pause],
    ['robbed of its binding', ANNOTATIONS.boundTo],
  ];
  for (const [what, annotation] of guarded) {
    it(`orders no wipe for a Server that is ${what}`, async () => {
      const { register, change } = await startPlane();
      await register();
      await change({ ...accepted, metadata: { annotations: { [annotation]: '' } } });
      assert.equal((await register())[0], false);
    });
  }

  it('orders no fourth wipe without an allocation', async () => {
    const { register, change, trusted } = await startPlane({ autoAccept: true });
    for (let wipe = 1; wipe <= 3; wipe++) {
      assert.equal((await register())[0], true, `wipe ${wipe}`);
      await trusted.markServerAsWiped({ uuid: UUID });
      assert.equal((await register())[0], false, 'clean');
      await change({ status: { isClean: false } }, 'status');
    }
    assert.equal((await register())[0], false);
  });

  it('leaves a BMC alone that a person described, and one that is set up', async () => {
    for (const bmc of [
      { endpoint: '10.0.0.1', user: 'u', pass: 'p' },
      { endpoint: '10.0.0.1', userFrom: {}, passFrom: {} },
    ]) {
      const { register, change } = await startPlane({ autoAccept: true });
      await register();
      await change({ spec: { bmc } });
      assert.equal((await register())[2], false);
      await change({ spec: { bmc: { endpoint: '10.0.0.1', user: null, pass: null, userFrom: null, passFrom: null } } });
      assert.equal((await register())[2], true, 'set-up was interrupted between address and credentials');
    }
  });

  it('adopts a Server that was made by hand', async () => {
    const { client, register, get } = await startPlane();
    await client.create(server, {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata: { name: UUID, labels: { zone: 'east' } },
      spec: { accepted: true, hostname: 'mine' },
    });
    assert.equal((await register())[0], true);
    const { metadata, spec } = await get();
    assert.deepEqual([metadata.labels?.['zone'], spec?.hostname], ['east', 'mine']);
    assert.equal(spec?.hardware?.network?.interfaces?.[0]?.mac, MAC);
  });

  it('keeps the inventory of a free Server current, and says so', async () => {
    const { register, get, events, bind } = await startPlane();
    await register({ ...machine(UUID, MAC), memory: { totalSize: 8192 } });
    await register({ ...machine(UUID, MAC), memory: { totalSize: 16_384 } });
    assert.equal((await get()).spec?.hardware?.memory?.totalSize, '16 GB');
    assert.equal(events.filter((event) => event.endsWith('InventoryChanged')).length, 1);
    await bind();
    await register({ ...machine(UUID, MAC), memory: { totalSize: 32_768 } });
    assert.equal((await get()).spec?.hardware?.memory?.totalSize, '16 GB');
  });

  it('names machines without usable UUID by what they are, each its own Server', async () => {
    const { register, client, events } = await startPlane();
    for (const mac of [MAC, OTHER_MAC, MAC]) await register(machine(ZERO, mac, 'S'));
    const { items } = await client.list(server);
    assert.equal(items.length, 2);
    assert.ok(items.every(({ metadata }) => metadata.annotations?.[ANNOTATIONS.reportedUuid] === ZERO));
    assert.equal(events.filter((event) => event.endsWith('DuplicateIdentity')).length, 2);
  });

  it('gives the second machine with one UUID a Server of its own and warns at both', async () => {
    const { register, client, events, get } = await startPlane();
    await register(machine(UUID, MAC, 'S1'));
    await register(machine(UUID, OTHER_MAC, 'S2'));
    assert.equal((await client.list(server)).items.length, 2);
    assert.equal(events.filter((event) => event.endsWith('DuplicateIdentity')).length, 2);
    assert.equal((await get()).spec?.hardware?.system?.serialNumber, 'S1');
  });

  it('does so too when both come at the same moment', async () => {
    const { agent, client } = await startPlane();
    const machines = [machine(UUID, MAC, 'S1'), machine(UUID, OTHER_MAC, 'S2')];
    await Promise.all(machines.map((hardware) => agent.createServer({ hardware, hostname: '' })));
    const { items } = await client.list(server);
    assert.deepEqual(items.map(({ spec }) => spec?.hardware?.system?.serialNumber).sort(), ['S1', 'S2']);
  });

  const nameless: readonly [what: string, hardware: Hardware | undefined][] = [
    ['no hardware', undefined],
    ['no UUID', machine('', MAC)],
    ['a UUID that is no name', machine('../../etc', MAC)],
    ['a UUID of 300 characters', machine('a'.repeat(300), MAC)],
    ['a zero UUID and nothing else', { system: { uuid: ZERO } }],
  ];
  for (const [what, hardware] of nameless) {
    it(`refuses ${what}`, async () => {
      const { agent, client } = await startPlane();
      const request = { hostname: '', ...(hardware === undefined ? {} : { hardware }) };
      await assert.rejects(agent.createServer(request), status('INVALID_ARGUMENT'));
      assert.equal((await client.list(server)).items.length, 0);
    });
  }

  it('takes counts from the lists, not from what is declared', async () => {
    const { register, get } = await startPlane();
    const network = {
      interfaceCount: 0,
      interfaces: [
        { index: 1, mac: MAC },
        { index: 2, mac: OTHER_MAC },
      ],
    };
    await register({
      system: { uuid: UUID },
      network,
      storage: { deviceCount: 4_000_000_000, devices: [{ name: 'sda', size: 2n ** 64n - 1n }] },
      memory: { moduleCount: 1, modules: [], totalSize: 2 ** 32 - 1 },
      compute: { processorCount: 7, processors: [{}, {}], totalCoreCount: 2 ** 32 - 1 },
    });
    const { hardware } = (await get()).spec ?? {};
    assert.deepEqual(
      [hardware?.network?.interfaceCount, hardware?.storage?.deviceCount, hardware?.memory?.moduleCount],
      [2, 1, undefined],
    );
    assert.equal(hardware?.compute?.processorCount, 2);
    assert.equal(hardware?.compute?.totalCoreCount, 2 ** 31 - 1);
    assert.equal(hardware?.storage?.devices?.[0]?.size, Number.MAX_SAFE_INTEGER);
  });

  it('cuts long texts and lists', async () => {
    const { register, get } = await startPlane();
    const devices = Array.from({ length: 2000 }, (_, i) => ({ name: `d${i}`, model: '💾'.repeat(300) }));
    const long = 'ü'.repeat(5000);
    await register({ ...machine(UUID, MAC), system: { uuid: UUID, manufacturer: long }, storage: { devices } }, long);
    const { spec, metadata } = await get();
    const stored = spec?.hardware?.storage?.devices ?? [];
    assert.equal(stored.length, 1024);
    assert.ok((stored[0]?.productName?.length ?? 0) <= 256 && stored[0]?.productName?.isWellFormed());
    assert.ok((spec?.hostname?.length ?? 0) <= 253);
    assert.ok(
      Object.values(metadata.labels ?? {}).every((value) =>
        /^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(value),
      ),
    );
  });

  it('refuses a request larger than a message may be', async () => {
    const { agent, client } = await startPlane();
    const hardware = { system: { uuid: UUID, family: 'x'.repeat(32 * 1024 * 1024) } };
    await assert.rejects(agent.createServer({ hardware, hostname: '' }), { code: 'BLM_GRPC_STATUS' });
    assert.equal((await client.list(server)).items.length, 0);
  });
});

describe('MarkServerAsWiped', () => {
  it('makes a Server clean and counts the wipe, once', async () => {
    const { register, trusted, get, events } = await startPlane({ autoAccept: true });
    await register();
    await trusted.markServerAsWiped({ uuid: UUID });
    await trusted.markServerAsWiped({ uuid: UUID.toUpperCase() });
    const { status: seen } = await get();
    assert.deepEqual([seen?.isClean, seen?.wipe?.withoutAllocation], [true, 1]);
    assert.equal(findCondition(seen?.conditions, 'PowerCycle')?.status, 'True');
    assert.equal(events.filter((event) => event.endsWith('WipeFinished')).length, 1);
  });

  it('is refused without the token of the boot, and the refusal is an Event', async () => {
    const { register, agent, get, events } = await startPlane({ autoAccept: true });
    await register();
    await assert.rejects(agent.markServerAsWiped({ uuid: UUID }), status('PERMISSION_DENIED'));
    assert.equal((await get()).status?.isClean, undefined);
    assert.ok(events.includes(`${UUID} ReportRefused`));
  });

  it('needs no token where metadata is open', async () => {
    const { register, agent, get } = await startPlane({ autoAccept: true, insecureMetadata: true });
    await register();
    await agent.markServerAsWiped({ uuid: UUID });
    assert.equal((await get()).status?.isClean, true);
  });

  for (const insecureMetadata of [false, true]) {
    it(`is refused for Servers that are not accepted or in use, with ${insecureMetadata ? 'open' : 'secret'} metadata`, async () => {
      const { register, trusted, change, bind, get } = await startPlane({ insecureMetadata });
      await register();
      const refused = () => assert.rejects(trusted.markServerAsWiped({ uuid: UUID }), status('FAILED_PRECONDITION'));
      await refused();
      await change(accepted);
      await bind();
      await refused();
      assert.equal((await get()).status?.isClean, undefined);
    });
  }
});

describe('Heartbeat', () => {
  const cycleOf = async ({ get }: Plane) => findCondition((await get()).status?.conditions, 'PowerCycle');

  it('moves the time of PowerCycle every time', async () => {
    const plane = await startPlane({ autoAccept: true });
    await plane.register();
    const times = new Set<string | undefined>();
    for (let i = 0; i < 3; i++) {
      await plane.clock.advance(1000);
      await plane.agent.heartbeat({ uuid: UUID });
      const cycle = await cycleOf(plane);
      assert.deepEqual([cycle?.status, cycle?.reason, cycle?.severity], ['False', 'InProgress', 'Info']);
      times.add(cycle?.lastTransitionTime);
    }
    assert.equal(times.size, 3);
  });

  it('does not undo a wipe that is done, nor touch a Server in use', async () => {
    const plane = await startPlane({ autoAccept: true });
    await plane.register();
    await plane.trusted.markServerAsWiped({ uuid: UUID });
    await plane.agent.heartbeat({ uuid: UUID });
    assert.equal((await cycleOf(plane))?.status, 'True');
    await plane.bind();
    await plane.change({ status: { isClean: false } }, 'status');
    await plane.agent.heartbeat({ uuid: UUID });
    assert.equal((await cycleOf(plane))?.status, 'True');
  });
});

describe('ReconcileServerAddresses', () => {
  const addresses = (...list: readonly string[]) =>
    list.map((text) => {
      const [type = '', address = ''] = text.split(' ');
      return { type, address };
    });

  it('replaces the types that are sent and keeps the others', async () => {
    const { register, agent, get } = await startPlane();
    await register();
    await agent.reconcileServerAddresses({ uuid: UUID, address: addresses('Hostname h', 'InternalIP 10.0.0.1') });
    await agent.reconcileServerAddresses({
      uuid: UUID,
      address: addresses('InternalIP 10.0.0.2', 'InternalIP fd00::1'),
    });
    assert.deepEqual(
      (await get()).status?.addresses,
      addresses('Hostname h', 'InternalIP 10.0.0.2', 'InternalIP fd00::1'),
    );
  });

  it('writes nothing when nothing changed', async () => {
    const { register, agent, client } = await startPlane();
    await register();
    const address = addresses('InternalIP 10.0.0.1');
    await agent.reconcileServerAddresses({ uuid: UUID, address });
    const before = client.revision();
    await agent.reconcileServerAddresses({ uuid: UUID, address });
    assert.equal(client.revision(), before);
  });

  it('keeps a bounded number, however many types are invented', async () => {
    const { register, agent, get } = await startPlane();
    await register();
    const many = (prefix: string) =>
      Array.from({ length: 200 }, (_, i) => ({ type: `${prefix}${i}`, address: 'x'.repeat(999) }));
    for (const prefix of 'abcd') await agent.reconcileServerAddresses({ uuid: UUID, address: many(prefix) });
    const stored = (await get()).status?.addresses ?? [];
    assert.equal(stored.length, 256);
    assert.ok(stored.every(({ address }) => address.length <= 256));
    const tooMany = Array.from({ length: 257 }, () => ({ type: 'a', address: 'b' }));
    await assert.rejects(agent.reconcileServerAddresses({ uuid: UUID, address: tooMany }), status('INVALID_ARGUMENT'));
  });

  it('tells machines that share a UUID apart by where they call from', async () => {
    const { register, agent, client } = await startPlane();
    await register(machine(ZERO, MAC));
    const [first] = (await client.list(server)).items;
    assert.deepEqual(first?.status?.addresses, addresses('InternalIP 127.0.0.1'));
    await agent.reconcileServerAddresses({ uuid: ZERO, address: addresses('InternalIP 10.0.0.7') });
    const [now] = (await client.list(server)).items;
    assert.deepEqual(now?.status?.addresses, addresses('InternalIP 10.0.0.7'));
  });
});

describe('UpdateBMCInfo', () => {
  const address = { ip: '10.0.0.9', port: 0 };
  const login = { ip: '10.0.0.9', port: 6230, user: 'sidero', pass: 'secret' };

  it('records the address, then the credentials in a Secret that the Server owns', async () => {
    const { register, trusted, get, client } = await startPlane({ autoAccept: true });
    await register();
    await trusted.updateBMCInfo({ uuid: UUID, bmcInfo: address });
    assert.deepEqual((await get()).spec?.bmc, { endpoint: '10.0.0.9', port: 623 });
    await trusted.updateBMCInfo({ uuid: UUID, bmcInfo: login });
    const { spec, metadata } = await get();
    const ref = (key: string) => ({ secretKeyRef: { namespace: 'default', name: `${UUID}-bmc`, key } });
    assert.deepEqual(spec?.bmc, { endpoint: '10.0.0.9', port: 6230, userFrom: ref('user'), passFrom: ref('pass') });
    const kept = await client.get(secret, { namespace: 'default', name: `${UUID}-bmc` });
    assert.equal(Buffer.from(kept.data?.['pass'] ?? '', 'base64').toString(), 'secret');
    assert.equal(kept.metadata.labels?.['clusterctl.cluster.x-k8s.io/move'], '');
    const [owner] = kept.metadata.ownerReferences ?? [];
    assert.deepEqual([owner?.kind, owner?.uid, owner?.controller], ['Server', metadata.uid, true]);
  });

  it('takes new credentials from the machine, whose set-up always makes new ones', async () => {
    const { register, trusted, client } = await startPlane({ autoAccept: true });
    await register();
    await trusted.updateBMCInfo({ uuid: UUID, bmcInfo: login });
    await trusted.updateBMCInfo({ uuid: UUID, bmcInfo: { ...login, pass: 'newer' } });
    const kept = await client.get(secret, { namespace: 'default', name: `${UUID}-bmc` });
    assert.equal(Buffer.from(kept.data?.['pass'] ?? '', 'base64').toString(), 'newer');
  });

  it('never replaces what a person gave', async () => {
    const { register, trusted, change, get } = await startPlane({ autoAccept: true });
    await register();
    const bmc = {
      endpoint: '10.9.9.9',
      user: 'admin',
      passFrom: { secretKeyRef: { namespace: 'x', name: 'y', key: 'z' } },
    };
    await change({ spec: { bmc } });
    await assert.rejects(trusted.updateBMCInfo({ uuid: UUID, bmcInfo: login }), status('FAILED_PRECONDITION'));
    assert.deepEqual((await get()).spec?.bmc, bmc);
  });

  it('is refused without the token, and for Servers that are not accepted or in use', async () => {
    const { register, agent, trusted, change, bind, get } = await startPlane();
    await register();
    const call = { uuid: UUID, bmcInfo: login };
    await assert.rejects(trusted.updateBMCInfo(call), status('FAILED_PRECONDITION'));
    await change(accepted);
    await assert.rejects(agent.updateBMCInfo(call), status('PERMISSION_DENIED'));
    await bind();
    await assert.rejects(trusted.updateBMCInfo(call), status('FAILED_PRECONDITION'));
    assert.equal((await get()).spec?.bmc, undefined);
  });

  for (const [what, bmcInfo] of [
    ['no BMC at all', undefined],
    ['an address that is none', { ip: '0.0.0.0' }],
    ['a host name', { ip: 'bmc.example.com' }],
    ['a port that is none', { ip: '10.0.0.9', port: 70_000 }],
    ['endless credentials', { ...login, pass: 'x'.repeat(1000) }],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { register, trusted } = await startPlane({ autoAccept: true });
      await register();
      const call = { uuid: UUID, ...(bmcInfo === undefined ? {} : { bmcInfo }) };
      await assert.rejects(trusted.updateBMCInfo(call), status('INVALID_ARGUMENT'));
    });
  }
});

describe('reports about nothing', () => {
  const calls: readonly [name: string, call: (plane: Plane, uuid: string) => Promise<unknown>][] = [
    ['MarkServerAsWiped', ({ trusted }, uuid) => trusted.markServerAsWiped({ uuid })],
    ['Heartbeat', ({ trusted }, uuid) => trusted.heartbeat({ uuid })],
    ['ReconcileServerAddresses', ({ trusted }, uuid) => trusted.reconcileServerAddresses({ uuid, address: [] })],
    ['UpdateBMCInfo', ({ trusted }, uuid) => trusted.updateBMCInfo({ uuid, bmcInfo: { ip: '10.0.0.1' } })],
  ];
  for (const [name, call] of calls) {
    it(`are refused as what they are by ${name}`, async () => {
      const plane = await startPlane();
      for (const uuid of ['', ' ', '/', 'x'.repeat(10_000)])
        await assert.rejects(call(plane, uuid), status('INVALID_ARGUMENT'));
      await assert.rejects(call(plane, UUID), status('NOT_FOUND'));
      await assert.rejects(call(plane, ZERO), status('NOT_FOUND'));
    });
  }
});
