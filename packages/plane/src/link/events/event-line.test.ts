import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeMachineEvent, machineEventRequest } from '@bloomery/siderolink';
import { machineEventsProto as proto } from '@bloomery/wire';
import type { LinkAnnotation } from '../annotations.ts';
import { eventLine } from './event-line.ts';

type Request = ReturnType<typeof machineEventRequest>;

function line(request: Request, annotation?: LinkAnnotation): string {
  const { typeUrl = '', value = new Uint8Array() } = request.data ?? {};
  const event = decodeMachineEvent({ typeUrl, value });
  assert.ok(event);
  const node = '[fdae:2859:5bb1:7a03:3ae3:be30:7ec4:4c09]:44530';
  return eventLine({ event, id: request.id ?? '', typeUrl, node, annotation, nowMs: 1_644_853_714_270 });
}

/** What differs from event to event: everything but the level and after the type. */
function own(request: Request): Record<string, unknown> {
  const {
    ts: _ts,
    caller: _caller,
    component: _component,
    node: _node,
    id: _id,
    type: _type,
    ...rest
  } = JSON.parse(line(request));
  return rest;
}

describe('the line of an event', () => {
  it('has the documented fields in the documented order', () => {
    const request = machineEventRequest(
      proto.AddressEventSchema,
      { hostname: 'pxe-2', addresses: ['172.25.0.5'] },
      'c857jkm1jjcc7393cbs0',
    );
    const annotation = {
      server_uuid: 'b4e677d9-b59b-4c1c-925a-f9d9ce049d79',
      namespace: 'default',
      metal_machine: 'management-cluster-cp-47lll',
      cluster: 'management-cluster',
      machine: 'management-cluster-cp-7mpsh',
    };
    assert.equal(
      line(request, annotation),
      '{"level":"info","ts":1644853714.27,"caller":"events/event-sink.ts","msg":"incoming event","component":"sink",' +
        '"node":"[fdae:2859:5bb1:7a03:3ae3:be30:7ec4:4c09]:44530","id":"c857jkm1jjcc7393cbs0",' +
        '"type":"type.googleapis.com/machine.AddressEvent","server_uuid":"b4e677d9-b59b-4c1c-925a-f9d9ce049d79",' +
        '"cluster":"management-cluster","namespace":"default","metal_machine":"management-cluster-cp-47lll",' +
        '"machine":"management-cluster-cp-7mpsh","hostname":"pxe-2","addresses":"172.25.0.5"}',
    );
  });

  it('leaves out what is not known of the machine', () => {
    const request = machineEventRequest(proto.RestartEventSchema, { cmd: 3n }, 'x');
    assert.deepEqual(Object.keys(JSON.parse(line(request, { server_uuid: 'u' }))).slice(8), ['server_uuid', 'cmd']);
    assert.deepEqual(Object.keys(JSON.parse(line(request))).slice(8), ['cmd']);
  });

  const cases: [name: string, request: Request, want: Record<string, unknown>][] = [
    [
      'several addresses, as they were sent',
      machineEventRequest(proto.AddressEventSchema, { addresses: ['10.0.0.1', 'x'] }, ''),
      { level: 'info', msg: 'incoming event', hostname: '', addresses: '10.0.0.1,x' },
    ],
    [
      'a phase',
      machineEventRequest(proto.PhaseEventSchema, { phase: 'install' }, ''),
      { level: 'info', msg: 'incoming event', phase: 'install', action: 'START' },
    ],
    [
      'a task',
      machineEventRequest(proto.TaskEventSchema, { task: 'saveConfig', action: 1 }, ''),
      { level: 'info', msg: 'incoming event', task: 'saveConfig', action: 'STOP' },
    ],
    [
      'a sequence',
      machineEventRequest(proto.SequenceEventSchema, { sequence: 'boot', action: 1 }, ''),
      { level: 'info', msg: 'incoming event', sequence: 'boot', action: 'START' },
    ],
    [
      'a sequence that failed',
      machineEventRequest(proto.SequenceEventSchema, { sequence: 'install', error: { message: 'no disk' } }, ''),
      { level: 'error', msg: 'incoming event', sequence: 'install', action: 'NOOP', error: 'no disk' },
    ],
    [
      'a service',
      machineEventRequest(proto.ServiceStateEventSchema, { service: 'etcd', action: 6, message: 'exited' }, ''),
      { level: 'info', msg: 'service exited', service: 'etcd', action: 'FAILED' },
    ],
    [
      'a configuration that cannot be loaded',
      machineEventRequest(proto.ConfigLoadErrorEventSchema, { error: 'line 1\nline 2' }, ''),
      { level: 'error', msg: 'incoming event', error: 'line 1\nline 2' },
    ],
    [
      'a configuration that is not valid',
      machineEventRequest(proto.ConfigValidationErrorEventSchema, { error: 'no disk' }, ''),
      { level: 'error', msg: 'incoming event', error: 'no disk' },
    ],
    [
      'the status of a machine',
      machineEventRequest(
        proto.MachineStatusEventSchema,
        { stage: 1, status: { unmetConditions: [{ name: 'time', reason: 'not in sync' }] } },
        '',
      ),
      { level: 'info', msg: 'incoming event', stage: 'Booting', ready: false, unmet_conditions: 'time: not in sync' },
    ],
  ];
  for (const [name, request, want] of cases) it(`tells of ${name}`, () => assert.deepEqual(own(request), want));

  it('gives the number of an action that has no name', () => {
    const value = Buffer.from('0a0178104d', 'hex');
    const request = { data: { typeUrl: 'type.googleapis.com/machine.SequenceEvent', value }, id: '' } as Request;
    assert.equal(own(request)['action'], '77');
  });

  it('is one line of at most 1 MiB, whatever the machine sends', () => {
    const long = '\u0001\n'.repeat(200_000);
    const addresses = Array.from({ length: 5_000 }, () => long.slice(0, 100));
    for (const request of [
      machineEventRequest(proto.AddressEventSchema, { hostname: long, addresses }, long),
      machineEventRequest(proto.ConfigLoadErrorEventSchema, { error: long }, long),
      machineEventRequest(proto.ServiceStateEventSchema, { service: long, message: long }, long),
      machineEventRequest(proto.SequenceEventSchema, { sequence: long, error: { message: long } }, long),
    ]) {
      const text = line(request);
      assert.ok(!text.includes('\n') && text.length < 1_048_576, String(text.length));
    }
  });
});
