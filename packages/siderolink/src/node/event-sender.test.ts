import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, type Logger, silentLog } from '@bloomery/ports';
import { machineEventsProto } from '@bloomery/wire';
import { fromBinary } from '@bufbuild/protobuf';
import { type FakeLinkServer, startFakeLinkServer } from '../testing/fake-link.ts';
import { type RunningEventSender, startEventSender } from './event-sender.ts';
import { machineReports } from './machine-events.ts';

const { TaskEventSchema } = machineEventsProto;

describe('the event sender', () => {
  let clock: FakeClock;
  let server: FakeLinkServer;
  let warnings: string[];
  let sender: RunningEventSender;
  let isReachable = true;

  beforeEach(async () => {
    clock = createFakeClock(1_700_000_000_000);
    server = await startFakeLinkServer();
    warnings = [];
    isReachable = true;
    const log: Logger = { ...silentLog, warn: (event) => void warnings.push(event) };
    const random = (length: number): Uint8Array => randomBytes(length);
    sender = startEventSender(server.api, { clock, log, random, isReachable: () => isReachable });
  });
  afterEach(async () => {
    sender[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });
  const until = async (what: string, isTrue: () => boolean, stepMs = 0): Promise<void> => {
    const deadline = Date.now() + 10_000;
    while (!isTrue()) {
      assert.ok(Date.now() < deadline, `${what}: waited 10 s in vain`);
      await clock.advance(stepMs);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const tasks = (): string[] =>
    server.events.map((event) => fromBinary(TaskEventSchema, event.data?.value ?? new Uint8Array()).task);
  const send = (task: string): string => sender.send(TaskEventSchema, { task });

  it('delivers in order, with ids that sort', async () => {
    const names = Array.from({ length: 50 }, (_, i) => `task ${i}`);
    const ids = names.map(send);
    await until('all', () => sender.backlog === 0);
    assert.deepEqual(tasks(), names);
    assert.deepEqual(
      server.events.map((event) => event.id),
      ids,
    );
    assert.deepEqual(ids, [...ids].sort());
    assert.equal(server.events[0]?.data?.typeUrl, 'type.googleapis.com/machine.TaskEvent');
    assert.equal(await sender.drained(0), true);
  });

  it('tries the same event until the sink takes it, and says so once', async () => {
    server.sink = 'INTERNAL';
    for (const name of ['a', 'b']) send(name);
    await until('some tries', () => warnings.length === 1 && clock.nowMs() > 1_700_000_060_000, 1_000);
    assert.equal(server.events.length, 0);
    assert.equal(sender.backlog, 2);
    assert.equal(warnings.length, 1);
    server.sink = 'accept';
    await until('both', () => sender.backlog === 0, 1_000);
    assert.deepEqual(tasks(), ['a', 'b']);
  });

  it('does not wait for its next try when there is a new way to the sink', async () => {
    server.sink = 'INTERNAL';
    send('a');
    await until('tried', () => warnings.length === 1);
    server.sink = 'accept';
    sender.reconnect();
    await until('delivered without time passing', () => sender.backlog === 0);
  });

  it('gives up a sink that says nothing for 20 s and tries again', async () => {
    server.sink = 'silent';
    send('a');
    await until('the deadline', () => warnings.length === 1, 1_000);
    assert.ok(clock.nowMs() >= 1_700_000_020_000);
    server.sink = 'accept';
    await until('delivered', () => sender.backlog === 0, 1_000);
    assert.equal(tasks().at(-1), 'a');
  });

  it('waits for the way to the sink without a word', async () => {
    isReachable = false;
    send('a');
    await clock.advance(600_000);
    assert.deepEqual([server.events.length, warnings.length], [0, 0]);
    isReachable = true;
    sender.reconnect();
    await until('delivered', () => sender.backlog === 0);
  });

  it('keeps the last 1,000 events when nobody takes them', async () => {
    isReachable = false;
    for (let i = 0; i < 1_010; i++) send(String(i));
    assert.equal(sender.backlog, 1_000);
    assert.ok(warnings.includes('link.event_dropped'));
    isReachable = true;
    sender.reconnect();
    await until('delivered', () => sender.backlog === 0);
    assert.deepEqual([tasks()[0], tasks().at(-1)], ['10', '1009']);
  });

  it('keeps what it has to say until it is told of a sink, and goes on at another one when it is', async () => {
    const quiet = { ...silentLog, warn: (event: string) => void warnings.push(event) };
    using early = startEventSender(undefined, { clock, log: quiet, random: (length) => randomBytes(length) });
    for (let i = 0; i < 1_001; i++) early.send(TaskEventSchema, { task: String(i) });
    assert.deepEqual([early.backlog, warnings], [1_000, []]);
    early.redirect(server.api);
    await until('delivered', () => early.backlog === 0);
    assert.deepEqual([tasks()[0], tasks().at(-1)], ['1', '1000']);
    await using other = await startFakeLinkServer();
    early.redirect(other.api);
    early.send(TaskEventSchema, { task: 'at the other' });
    await until('delivered there', () => early.backlog === 0);
    assert.deepEqual([server.events.length, other.events.length], [1_000, 1]);
  });

  it('says when not everything was delivered in time', async () => {
    server.sink = 'INTERNAL';
    send('a');
    const drained = sender.drained(3_000);
    await clock.advance(3_100);
    assert.equal(await drained, false);
  });

  it('carries the reports of a daemon', async () => {
    const reports = machineReports(sender, clock);
    reports.addresses('host', ['10.0.0.1']);
    reports.stage('RUNNING');
    reports.stage('BOOTING', { time: 'not set' });
    reports.service('dns', 'RUNNING', 'listening on 127.0.0.53:53', true);
    reports.configNotLoaded('no YAML');
    reports.configNotValid('apiUrl is required');
    await until('all', () => sender.backlog === 0);
    const bytes = (i: number): Uint8Array => server.events[i]?.data?.value ?? new Uint8Array();
    assert.deepEqual(
      server.events.map((event) => event.data?.typeUrl.split('.').at(-1)),
      [
        'AddressEvent',
        'MachineStatusEvent',
        'MachineStatusEvent',
        'ServiceStateEvent',
        'ConfigLoadErrorEvent',
        'ConfigValidationErrorEvent',
      ],
    );
    const running = fromBinary(machineEventsProto.MachineStatusEventSchema, bytes(1));
    assert.deepEqual([running.stage, running.status?.ready], [4, true]);
    const booting = fromBinary(machineEventsProto.MachineStatusEventSchema, bytes(2));
    assert.deepEqual(
      [booting.stage, booting.status?.ready, booting.status?.unmetConditions[0]?.name],
      [1, false, 'time'],
    );
    const service = fromBinary(machineEventsProto.ServiceStateEventSchema, bytes(3));
    assert.deepEqual([service.service, service.action, service.health?.healthy], ['dns', 3, true]);
  });
});
