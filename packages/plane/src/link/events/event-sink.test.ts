import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GrpcClient } from '@bloomery/grpc';

import { serverBinding } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { machineEventRequest } from '@bloomery/siderolink';
import { eventsProto, machineEventsProto as proto } from '@bloomery/wire';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as grpcJs from '@grpc/grpc-js';
import { startEventRig } from '../testing/event-rig.ts';

type Request = ReturnType<typeof machineEventRequest>;

const publish = (machine: GrpcClient, request: Request): Promise<unknown> =>
  machine.service(eventsProto.EventSinkService).publish(request, { timeoutMs: 10_000 });
const refusal = (machine: GrpcClient, request: Request): Promise<unknown> =>
  publish(machine, request).then(
    () => 'OK',
    (error) => error.facts.status,
  );
const address = (hostname: string, addresses: string[], id = ''): Request =>
  machineEventRequest(proto.AddressEventSchema, { hostname, addresses }, id);
const phase = (name: string, id = ''): Request => machineEventRequest(proto.PhaseEventSchema, { phase: name }, id);
const boot = (id = ''): Request => machineEventRequest(proto.SequenceEventSchema, { sequence: 'boot', action: 1 }, id);
const task = (id = ''): Request => machineEventRequest(proto.TaskEventSchema, { task: 'installer' }, id);
const status = (id = ''): Request => machineEventRequest(proto.MachineStatusEventSchema, { stage: 1 }, id);
const summary = (binding: {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
}) => (binding.status?.conditions ?? []).map((c) => `${c.type}=${c.status}`).join(' ');

describe('the sink of machine events', () => {
  it('keeps addresses, hostname and conditions in the binding of the machine that sent them', async () => {
    await using rig = await startEventRig();
    await publish(rig.machine(), address('pxe-2', ['172.25.0.5', '127.0.0.2', 'not-an-ip', '10.250.1.1']));
    await publish(rig.machine(), phase('install'));
    await publish(rig.machine('127.0.0.3'), boot());
    const [a, b] = [await rig.binding('a'), await rig.binding('b')];
    assert.deepEqual([a.spec?.addresses, a.spec?.hostname], [['172.25.0.5'], 'pxe-2']);
    assert.equal(summary(a), 'TalosInstalled=False');
    assert.equal(b.spec?.addresses, undefined);
    assert.equal(summary(b), 'TalosConfigLoaded=True TalosConfigValidated=True TalosInstalled=True');
    assert.deepEqual(
      rig.lines.map((line) => [
        line['server_uuid'],
        line['cluster'],
        line['metal_machine'],
        line['namespace'],
        line['action'],
      ]),
      [
        ['a', 'west', 'machine-a', 'default', undefined],
        ['a', 'west', 'machine-a', 'default', 'START'],
        ['b', 'west', 'machine-b', 'default', 'START'],
      ],
    );
    assert.match(String(rig.lines[0]?.['node']), /^127\.0\.0\.2:\d+$/);
    assert.deepEqual(
      rig.timeline.map((entry) => `${entry.about.server} ${entry.event}`),
      ['a AddressesReported', 'a InstallStarted', 'b BootStarted'],
    );
    assert.deepEqual(
      rig.events.map((event) => `${event.about} ${event.type} ${event.reason}`),
      ['Server Normal InstallStarted', 'MetalMachine Normal InstallStarted'],
    );
  });

  it('replaces addresses, and writes nothing that is already so', async () => {
    await using rig = await startEventRig();
    const machine = rig.machine();
    await publish(machine, address('a', ['10.0.0.1', '10.0.0.2']));
    await publish(machine, address('a', ['10.0.0.2']));
    const before = await rig.binding();
    assert.deepEqual(before.spec?.addresses, ['10.0.0.2']);
    await publish(machine, address('a', ['10.0.0.2', '::ffff:10.0.0.2']));
    assert.equal((await rig.binding()).metadata.resourceVersion, before.metadata.resourceVersion);
    await publish(machine, address('', []));
    assert.deepEqual((await rig.binding()).spec, { ...before.spec, addresses: [], hostname: '' });
  });

  it('takes a repeated event once, also after newer ones', async () => {
    await using rig = await startEventRig();
    const machine = rig.machine();
    const install = machineEventRequest(
      proto.SequenceEventSchema,
      { sequence: 'install', error: { message: 'unix.Reboot' } },
      '3',
    );
    for (const request of [phase('install', '1'), phase('install', '1'), phase('other', '2'), install]) {
      await publish(machine, request);
    }
    await publish(machine, phase('install', '1'));
    assert.equal(summary(await rig.binding()), 'TalosInstalled=True');
    assert.deepEqual(
      rig.lines.map((line) => line['id']),
      ['1', '2', '3'],
    );
    assert.equal(rig.counts.repeated, 2);
    assert.equal(rig.events.filter((event) => event.reason === 'InstallStarted').length, 2);
  });

  it('takes all events of a machine that gives them all one id', async () => {
    await using rig = await startEventRig();
    const machine = rig.machine();
    const failure = machineEventRequest(
      proto.SequenceEventSchema,
      { sequence: 'install', error: { message: 'x' } },
      '1',
    );
    const reasons: unknown[] = [];
    for (const request of [phase('install', '1'), failure, phase('install', '1'), failure]) {
      await publish(machine, request);
      reasons.push((await rig.binding()).status?.conditions?.[0]?.reason);
    }
    const [progress, failed] = ['TalosInstallationInProgress', 'TalosInstallationFailed'];
    assert.deepEqual(reasons, [progress, failed, progress, failed]);
  });

  it('answers OK to what it does not know and to what is only news', async () => {
    await using rig = await startEventRig();
    const machine = rig.machine();
    const unknown = {
      data: { typeUrl: 'type.googleapis.com/machine.NewEvent', value: new Uint8Array([255]) },
      id: '1',
    };
    const empty = { data: {}, id: '2' };
    const restart = machineEventRequest(proto.RestartEventSchema, { cmd: 1n }, '3');
    for (const request of [unknown, empty, restart, task(), status()]) await publish(machine, request);
    assert.deepEqual(
      rig.lines.map((line) => String(line['type']).split('.').at(-1)),
      ['RestartEvent', 'TaskEvent', 'MachineStatusEvent'],
    );
    assert.equal(rig.counts.received.other, 2);
    const [ready] = (await rig.binding()).status?.conditions ?? [];
    assert.deepEqual([ready?.type, ready?.status, ready?.reason], ['SystemReady', 'False', 'StageBooting']);
  });

  it('refuses what can never be read, and goes on', async () => {
    await using rig = await startEventRig();
    const machine = rig.machine();
    const broken = {
      data: { typeUrl: 'type.googleapis.com/machine.PhaseEvent', value: new Uint8Array([255]) },
      id: '1',
    };
    assert.equal(await refusal(machine, { id: '1' }), 'INVALID_ARGUMENT');
    assert.equal(await refusal(machine, broken), 'INVALID_ARGUMENT');
    assert.equal(await refusal(machine, address('x'.repeat(2 ** 21), [])), 'RESOURCE_EXHAUSTED');
    assert.equal(await refusal(machine, boot()), 'OK');
    assert.deepEqual(rig.counts.refused, { no_data: 1, undecodable: 1, unknown_source: 0, not_stored: 0 });
  });

  it('waits for a machine that is about to be known', async () => {
    await using rig = await startEventRig();
    const sent = publish(rig.machine('127.0.0.9'), boot());
    await publish(rig.machine(), boot());
    rig.addresses.set('127.0.0.9', 'b');
    await sent;
    assert.match(summary(await rig.binding('b')), /TalosInstalled=True/);
  });

  it('refuses to change something for an unknown sender after 2 s, and takes its other news at once', async () => {
    await using rig = await startEventRig();
    const stranger = rig.machine('127.0.0.9');
    await publish(stranger, task('1'));
    await publish(stranger, status('2'));
    assert.equal(await refusal(stranger, boot('3')), 'NOT_FOUND');
    assert.deepEqual(
      rig.lines.map((line) => [line['id'], 'server_uuid' in line]),
      [
        ['1', false],
        ['2', false],
      ],
    );
    assert.deepEqual(rig.timeline, []);
    rig.addresses.set('127.0.0.9', 'b');
    assert.equal(await refusal(stranger, boot('3')), 'OK');
  });

  it('refuses to change something for a machine whose binding has gone', async () => {
    await using rig = await startEventRig();
    await rig.client.delete(serverBinding, { name: 'a' });
    assert.equal(await refusal(rig.machine(), boot()), 'NOT_FOUND');
    assert.equal(await refusal(rig.machine(), status()), 'OK');
    assert.equal(rig.counts.refused.unknown_source, 1);
  });

  it('tries again after conflicts, and asks for a repetition when the API fails', async () => {
    let failures: ('BLM_API_CONFLICT' | 'BLM_API_UNAVAILABLE')[] = ['BLM_API_CONFLICT', 'BLM_API_CONFLICT'];
    await using rig = await startEventRig({
      intercept: (verb, kind) => {
        if (verb !== 'patch' || kind.kind !== 'ServerBinding') return;
        const code = failures.shift();
        if (code !== undefined) throw new BloomeryError(code, 'as the test wants');
      },
    });
    const machine = rig.machine();
    assert.equal(await refusal(machine, boot('1')), 'OK');
    failures = ['BLM_API_UNAVAILABLE'];
    assert.equal(await refusal(machine, address('late', [], '2')), 'UNAVAILABLE');
    assert.equal(await refusal(machine, address('late', [], '2')), 'OK');
    assert.equal((await rig.binding()).spec?.hostname, 'late');
    assert.equal(rig.counts.refused.not_stored, 1);
  });

  it('takes the events of one machine in order, though they are slow to store, and those of others meanwhile', async () => {
    const [gate, isStored] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const write = (line: string): boolean => {
      if (!line.includes('"server_uuid":"a"')) return true;
      isStored.resolve();
      return false;
    };
    await using rig = await startEventRig({ records: { write, drained: () => gate.promise } });
    const machine = rig.machine();
    const first = publish(machine, phase('install'));
    const second = publish(machine, boot());
    await isStored.promise;
    await publish(rig.machine('127.0.0.3'), boot());
    assert.match(summary(await rig.binding('b')), /TalosInstalled=True/);
    assert.equal(summary(await rig.binding('a')), 'TalosInstalled=False');
    gate.resolve();
    await Promise.all([first, second]);
    assert.match(summary(await rig.binding('a')), /TalosInstalled=True/);
  });

  it('lets a flood of one machine fold on the timeline, and takes what others say', async () => {
    await using rig = await startEventRig();
    const machine = rig.machine();
    const service = machineEventRequest(proto.ServiceStateEventSchema, { service: 'etcd', action: 3 }, '');
    await publish(machine, service);
    const flood = Array.from({ length: 15 }, async () => {
      for (let i = 0; i < 33; i++) await publish(machine, service);
    });
    await publish(rig.machine('127.0.0.3'), boot());
    await Promise.all(flood);
    assert.deepEqual(rig.timeline.map((entry) => entry.event).sort(), ['BootStarted', 'ServiceRunning']);
    assert.equal(rig.counts.received.ServiceStateEvent, 1 + 15 * 33);
  });

  it('takes what a gRPC library of other make sends', async () => {
    await using rig = await startEventRig({ machines: ['a'] });
    rig.addresses.set('127.0.0.1', 'a');
    const foreign = new grpcJs.Client(`127.0.0.1:${rig.port}`, grpcJs.credentials.createInsecure());
    const call = (request: Request) =>
      new Promise<number>((resolve) => {
        const bytes = Buffer.from(
          toBinary(eventsProto.EventRequestSchema, create(eventsProto.EventRequestSchema, request)),
        );
        const same = (value: Buffer): Buffer => value;
        foreign.makeUnaryRequest('/events.EventSinkService/Publish', same, same, bytes, (error, answer) => {
          if (answer !== undefined) fromBinary(eventsProto.EventResponseSchema, answer);
          resolve(error?.code ?? 0);
        });
      });
    try {
      assert.equal(await call(address('pxe-2', ['172.25.0.5'], 'c857jkm1jjcc7393cbs0')), grpcJs.status.OK);
      assert.equal(await call({ id: '1' }), grpcJs.status.INVALID_ARGUMENT);
      const codes = await Promise.all(Array.from({ length: 50 }, (_, i) => call(phase(`p${i}`, `${i}`))));
      assert.deepEqual(new Set(codes), new Set([0]));
      assert.equal((await rig.binding()).spec?.hostname, 'pxe-2');
    } finally {
      foreign.close();
    }
  });
});
