import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GrpcClient } from '@bloomery/grpc';
import { until } from '@bloomery/ports';
import { machineEventRequest } from '@bloomery/siderolink';
import { eventsProto, machineEventsProto as proto } from '@bloomery/wire';
import fc from 'fast-check';
import { startEventRig } from '../testing/event-rig.ts';

const WITHIN_MS = 20_000;
const boot = machineEventRequest(proto.SequenceEventSchema, { sequence: 'boot', action: 1 }, '');
const publish = (machine: GrpcClient, metadata: Record<string, string> = {}): Promise<unknown> =>
  machine.service(eventsProto.EventSinkService).publish(boot, { timeoutMs: WITHIN_MS, metadata });

/** Connections that say nothing; those that were closed are destroyed. */
function dialMany(count: number, dial: (i: number) => Socket): Socket[] {
  return Array.from({ length: count }, (_, i) =>
    dial(i)
      .on('error', () => {})
      .resume(),
  );
}

const open = (sockets: readonly Socket[]): number => sockets.filter((socket) => !socket.closed).length;

describe('the listener of machine events', () => {
  it('keeps the newest connections of a machine only', async () => {
    await using rig = await startEventRig({ limits: { connectionsPerMachine: 4 } });
    const silent = dialMany(300, () => rig.dial('127.0.0.2'));
    await until('the others are closed', () => open(silent) <= 4);
    await publish(rig.machine('127.0.0.3'));
    await publish(rig.machine('127.0.0.2'));
    await until('the others are closed', () => open(silent) <= 3);
    for (const socket of silent) socket.destroy();
  });

  it('takes no more connections than it may, and takes some again when others have gone', async () => {
    await using rig = await startEventRig({ limits: { connections: 20 } });
    const silent = dialMany(300, (i) => rig.dial(`127.0.1.${i % 100}`));
    await until('the others are closed', () => open(silent) <= 20);
    for (const socket of silent) socket.destroy();
    await until('the others are closed', () => open(silent) === 0);
    let answered = false;
    while (!answered) {
      answered = await publish(rig.machine()).then(
        () => true,
        () => false,
      );
    }
  });

  it('closes connections that say nothing', async () => {
    await using rig = await startEventRig({ limits: { firstCallMs: 50 } });
    const silent = dialMany(100, (i) => rig.dial(`127.0.1.${i}`));
    const preface = dialMany(100, (i) => rig.dial(`127.0.2.${i}`));
    for (const socket of preface) socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await until('the others are closed', () => open([...silent, ...preface]) === 0);
    await publish(rig.machine());
  });

  it('ends calls that are never finished', async () => {
    await using rig = await startEventRig({ limits: { callMs: 100 } });
    const session = connectHttp2(`http://127.0.0.1:${rig.port}`, { createConnection: () => rig.dial('127.0.0.2') });
    const head = { ':method': 'POST', ':path': '/events.EventSinkService/Publish', 'content-type': 'application/grpc' };
    const stalled = session.request(head);
    stalled.on('error', () => {});
    stalled.write(Buffer.from([0, 0, 0, 1, 0, 1, 2, 3]));
    await once(stalled, 'close');
    session.destroy();
    await publish(rig.machine());
  });

  it('closes idle connections so that the next call just opens another', async () => {
    await using rig = await startEventRig({ limits: { idleMs: 30 } });
    const sockets: Socket[] = [];
    const dial = rig.dial;
    const session = connectHttp2(`http://127.0.0.1:${rig.port}`, {
      createConnection: () => {
        const socket = dial('127.0.0.2');
        sockets.push(socket);
        return socket;
      },
    });
    session.on('error', () => {});
    const head = { ':method': 'POST', ':path': '/x', 'content-type': 'application/grpc' };
    session.request(head, { endStream: true }).resume();
    await until('the others are closed', () => open(sockets) === 0);
    const machine = rig.machine();
    for (let i = 0; i < 3; i++) {
      await publish(machine);
      await sleep(40);
    }
  });

  it('refuses headers without end, and goes on with the connection', async () => {
    await using rig = await startEventRig();
    const machine = rig.machine();
    // Settings hold once the other end has acknowledged them.
    await publish(machine);
    await assert.rejects(publish(machine, { 'x-long': 'x'.repeat(30_000) }));
    await publish(machine);
  });

  it('survives bytes that are no HTTP/2', async () => {
    await using rig = await startEventRig({ limits: { connectionsPerMachine: 1_000, firstCallMs: 500 } });
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const settings = Buffer.from('000000040000000000', 'hex');
    const samples = fc.sample(fc.uint8Array({ maxLength: 300 }), 200);
    const sockets = samples.map((bytes, i) => {
      const socket = rig
        .dial('127.0.0.9')
        .on('error', () => {})
        .resume();
      const start = [[], [preface], [preface, settings]][i % 3] ?? [];
      socket.write(Buffer.concat([...start, bytes]));
      return socket;
    });
    sockets.push(
      rig
        .dial('127.0.0.9')
        .on('error', () => {})
        .resume(),
    );
    sockets.at(-1)?.write('GET / HTTP/1.1\r\n\r\n');
    await until('the others are closed', () => open(sockets) === 0);
    await publish(rig.machine());
  });

  it('can be started and stopped a hundred times', async () => {
    for (let i = 0; i < 100; i++) {
      await using rig = await startEventRig();
      if (i % 10 === 0) await publish(rig.machine());
    }
  });
});
