import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConditionDraft, mergeConditions } from '@bloomery/kube';
import { type Condition, timeText } from '@bloomery/model';
import { decodeMachineEvent, MACHINE_EVENT_TYPES, type MachineEvent, machineEventRequest } from '@bloomery/siderolink';
import { machineEventsProto as proto } from '@bloomery/wire';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { createAddressFilter } from './address-filter.ts';
import { eventLine } from './event-line.ts';
import { markOf } from './event-mark.ts';
import { type EventPlan, planEvent } from './plan-event.ts';

const LINK = 'fdae:41e4:649b:9303::a1';
const NOOP = proto.SequenceEvent_Action.NOOP;
const START = proto.SequenceEvent_Action.START;
const STOP = proto.SequenceEvent_Action.STOP;
const RUNNING = proto.MachineStatusEvent_MachineStage.RUNNING;

function plan(request: ReturnType<typeof machineEventRequest>): EventPlan {
  const { typeUrl = '', value = new Uint8Array() } = request.data ?? {};
  const event = decodeMachineEvent({ typeUrl, value });
  assert.ok(event);
  return planEvent(event, { linkAddress: LINK, isExcluded: createAddressFilter(['10.250.0.0/16']) });
}

type Sequence = Parameters<typeof machineEventRequest<typeof proto.SequenceEventSchema>>[1];

const sequence = (init: Sequence): EventPlan => plan(machineEventRequest(proto.SequenceEventSchema, init, ''));
const phase = (name: string, action: proto.PhaseEvent_Action): EventPlan =>
  plan(machineEventRequest(proto.PhaseEventSchema, { phase: name, action }, ''));

const bytes = (type: string, hex: string): EventPlan =>
  plan({ data: { typeUrl: `type.googleapis.com/machine.${type}`, value: Buffer.from(hex, 'hex') } });
const status = (init: Parameters<typeof machineEventRequest<typeof proto.MachineStatusEventSchema>>[1]): EventPlan =>
  plan(machineEventRequest(proto.MachineStatusEventSchema, init, ''));
const ready = (more: Partial<ConditionDraft> = {}): ConditionDraft => ({
  type: 'SystemReady',
  status: 'True',
  ...more,
});

const cases: [name: string, got: EventPlan, want: readonly ConditionDraft[] | undefined][] = [
  [
    'an installer that ends by rebooting has installed',
    sequence({ sequence: 'install', action: NOOP, error: { code: 0, message: 'task 1/1: unix.Reboot' } }),
    [{ type: 'TalosInstalled', status: 'True' }],
  ],
  [
    'an installer that ends otherwise has failed, in its own words',
    sequence({ sequence: 'install', action: NOOP, error: { code: 0, message: 'no disk' } }),
    [
      {
        type: 'TalosInstalled',
        status: 'False',
        severity: 'Error',
        reason: 'TalosInstallationFailed',
        message: 'no disk',
      },
    ],
  ],
  [
    'an installer that says it did nothing, without a word, has failed: a missing error reads as the zero code, FATAL',
    sequence({ sequence: 'install', action: NOOP }),
    [{ type: 'TalosInstalled', status: 'False', severity: 'Error', reason: 'TalosInstallationFailed', message: '' }],
  ],
  [
    'an empty error is one, too',
    sequence({ sequence: 'install', error: {} }),
    [{ type: 'TalosInstalled', status: 'False', severity: 'Error', reason: 'TalosInstallationFailed', message: '' }],
  ],
  ['the end of a sequence says nothing', sequence({ sequence: 'install', action: STOP }), undefined],
  ['an end without a known action says nothing', bytes('SequenceEvent', '0a07696e7374616c6c104d'), undefined],
  [
    'the start of the installation sequence says nothing yet',
    sequence({ sequence: 'install', action: START }),
    undefined,
  ],
  [
    'a failure of another sequence is not that of the installation',
    sequence({ sequence: 'upgrade', action: NOOP, error: { code: 0, message: 'no' } }),
    undefined,
  ],
  [
    'a cancelled sequence is no failure',
    sequence({ sequence: 'install', action: NOOP, error: { code: 2, message: 'unix.Reboot' } }),
    undefined,
  ],
  [
    'a locked sequence is no failure',
    sequence({ sequence: 'install', action: NOOP, error: { code: 1, message: 'locked' } }),
    undefined,
  ],
  [
    'a boot covers every report that was missed',
    sequence({ sequence: 'boot', action: START }),
    ['TalosConfigLoaded', 'TalosConfigValidated', 'TalosInstalled'].map((type) => ({ type, status: 'True' as const })),
  ],
  [
    'the start of the installation is not its end',
    phase('install', 0),
    [{ type: 'TalosInstalled', status: 'False', severity: 'Info', reason: 'TalosInstallationInProgress' }],
  ],
  ['the end of a phase says nothing: failures end phases too', phase('install', 1), undefined],
  ['other phases are not about us', phase('mountState', 0), undefined],
  [
    'a saved configuration was loaded and valid',
    phase('saveConfig', 0),
    ['TalosConfigValidated', 'TalosConfigLoaded'].map((type) => ({ type, status: 'True' as const })),
  ],
  [
    'a configuration that cannot be loaded is quoted',
    plan(machineEventRequest(proto.ConfigLoadErrorEventSchema, { error: 'yaml: line 2\nmore' }, '')),
    [
      {
        type: 'TalosConfigLoaded',
        status: 'False',
        severity: 'Error',
        reason: 'TalosConfigLoadFailed',
        message: 'yaml: line 2\nmore',
      },
    ],
  ],
  [
    'a configuration that is not valid is quoted',
    plan(machineEventRequest(proto.ConfigValidationErrorEventSchema, { error: 'no install disk' }, '')),
    [
      {
        type: 'TalosConfigValidated',
        status: 'False',
        severity: 'Error',
        reason: 'TalosConfigValidationFailed',
        message: 'no install disk',
      },
    ],
  ],
  ['a machine that runs and is ready says so', status({ stage: RUNNING, status: { ready: true } }), [ready()]],
  [
    'a machine that runs and is not ready names what is missing',
    status({
      stage: RUNNING,
      status: { unmetConditions: [{ name: 'services', reason: 'etcd' }, { name: 'nodeReady' }] },
    }),
    [ready({ status: 'False', severity: 'Warning', reason: 'NotReady', message: 'services: etcd; nodeReady' })],
  ],
  [
    'a machine that shuts down is not ready, which is no fault',
    status({ stage: 6 }),
    [ready({ status: 'False', severity: 'Info', reason: 'StageShuttingDown', message: '' })],
  ],
  [
    'a stage that nobody knows is none',
    bytes('MachineStatusEvent', '08e72412020801'),
    [ready({ status: 'False', severity: 'Info', reason: 'StageUnknown', message: '' })],
  ],
];

describe('what an event of a machine means', () => {
  for (const [name, got, want] of cases) it(name, () => assert.deepEqual(got.conditions, want));

  it('keeps the usable addresses in the order of the machine', () => {
    const addresses = ['172.25.0.5', LINK, 'not-an-ip', '10.250.1.1', '169.254.3.4', 'fe80::1', '2001:db8::7'];
    const got = plan(machineEventRequest(proto.AddressEventSchema, { hostname: 'pxe-2', addresses }, ''));
    assert.deepEqual(got.spec, { hostname: 'pxe-2', addresses: ['172.25.0.5', '2001:db8::7'] });
  });

  it('cuts host names at what DNS allows, and replaces what was there with nothing', () => {
    const got = plan(machineEventRequest(proto.AddressEventSchema, { hostname: 'x'.repeat(300) }, ''));
    assert.deepEqual(got.spec, { hostname: 'x'.repeat(253), addresses: [] });
  });

  const silent: [name: string, got: EventPlan][] = [
    ['tasks', plan(machineEventRequest(proto.TaskEventSchema, { task: 'install' }, ''))],
    ['services', plan(machineEventRequest(proto.ServiceStateEventSchema, { service: 'etcd', action: 6 }, ''))],
    ['restarts', plan(machineEventRequest(proto.RestartEventSchema, { cmd: 1n }, ''))],
  ];
  for (const [name, got] of silent) it(`changes nothing for ${name}`, () => assert.deepEqual(got, {}));
});

describe('conditions over the life of a machine', () => {
  const install = (message: string): EventPlan => sequence({ sequence: 'install', action: NOOP, error: { message } });
  const error = (text: string): EventPlan =>
    plan(machineEventRequest(proto.ConfigLoadErrorEventSchema, { error: text }, ''));
  const steps: [name: string, step: EventPlan, want: string][] = [
    ['a configuration that cannot be read', error('bad yaml'), '- loaded=False/TalosConfigLoadFailed'],
    ['again', error('bad yaml'), '- loaded=False/TalosConfigLoadFailed'],
    ['a mended one', phase('saveConfig', 0), '+ loaded=True validated=True'],
    ['installing', phase('install', 0), '+ loaded=True validated=True installed=False/TalosInstallationInProgress'],
    ['the phase ends', phase('install', 1), '- loaded=True validated=True installed=False/TalosInstallationInProgress'],
    ['a failure', install('no disk'), '+ loaded=True validated=True installed=False/TalosInstallationFailed'],
    ['a retry', phase('install', 0), '+ loaded=True validated=True installed=False/TalosInstallationInProgress'],
    ['success', install('unix.Reboot'), '+ loaded=True validated=True installed=True'],
    [
      'the boot from disk',
      sequence({ sequence: 'boot', action: START }),
      '- loaded=True validated=True installed=True',
    ],
    ['another boot', sequence({ sequence: 'boot', action: START }), '- loaded=True validated=True installed=True'],
  ];
  it('follow it, and their times move only when something changes', () => {
    let have: readonly Condition[] = [];
    steps.forEach(([name, { conditions = [] }, want], i) => {
      const next = mergeConditions(have, conditions, i * 60_000);
      const moved = next.some((c) => c.lastTransitionTime === timeText(i * 60_000)) && i > 0;
      const text = next.map(
        (c) =>
          `${c.type.replace(/Talos(Config)?/, '').toLowerCase()}=${c.status}${c.reason === undefined ? '' : `/${c.reason}`}`,
      );
      assert.equal(`${moved ? '+' : '-'} ${text.join(' ')}`, want, name);
      have = next;
    });
  });

  it('a boot makes up for every event that was missed', () => {
    const { conditions = [] } = sequence({ sequence: 'boot', action: START });
    const failed = mergeConditions([], install('no disk').conditions ?? [], 0);
    assert.deepEqual(
      mergeConditions(failed, conditions, 1).map((c) => [c.type, c.status, c.severity, c.reason, c.message]),
      [
        ['TalosConfigLoaded', 'True', undefined, undefined, undefined],
        ['TalosConfigValidated', 'True', undefined, undefined, undefined],
        ['TalosInstalled', 'True', undefined, undefined, undefined],
      ],
    );
  });
});

const VALID: readonly Uint8Array[] = [
  machineEventRequest(proto.AddressEventSchema, { hostname: 'pxe-2', addresses: ['172.25.0.5', 'fe80::1'] }, ''),
  machineEventRequest(proto.SequenceEventSchema, { sequence: 'install', error: { message: 'unix.Reboot' } }, ''),
  machineEventRequest(proto.PhaseEventSchema, { phase: 'saveConfig', action: 1 }, ''),
  machineEventRequest(proto.ServiceStateEventSchema, { service: 'etcd', action: 3, health: { lastMessage: 'x' } }, ''),
  machineEventRequest(
    proto.MachineStatusEventSchema,
    { stage: 4, status: { unmetConditions: [{ name: 'time', reason: 'x' }] } },
    '',
  ),
  machineEventRequest(proto.RestartEventSchema, { cmd: 7n }, ''),
].flatMap(({ data }) => data?.value ?? []);

describe('the payload of an event', () => {
  const value = toBinary(proto.PhaseEventSchema, create(proto.PhaseEventSchema, { phase: 'install' }));
  const urls: [typeUrl: string, isKnown: boolean][] = [
    ['type.googleapis.com/machine.PhaseEvent', true],
    ['example.com/a/b/machine.PhaseEvent', true],
    ['/machine.PhaseEvent', true],
    ['type.googleapis.com/other.PhaseEvent', false],
    ['type.googleapis.com/PhaseEvent', false],
    ['type.googleapis.com/machine.PhaseEvent/', false],
    ['type.googleapis.com/machine.NewEvent', false],
    ['type.googleapis.com/machine.toString', false],
    ['machine.__proto__', false],
    ['toString', false],
    ['', false],
  ];
  for (const [typeUrl, isKnown] of urls) {
    it(`of type "${typeUrl}" ${isKnown ? 'is known' : 'means nothing to us'}`, () =>
      assert.equal(decodeMachineEvent({ typeUrl, value }) !== undefined, isKnown));
  }

  it('is decoded or refused, whatever its bytes are, and so is all that follows from it', () => {
    const types = fc.constantFrom(...MACHINE_EVENT_TYPES);
    const flips = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 });
    const mutated = fc.tuple(fc.constantFrom(...VALID), flips, fc.nat(60)).map(([valid, changes, end]) => {
      const bytes = Uint8Array.from(valid);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return end > 30 ? bytes : bytes.subarray(0, end);
    });
    fc.assert(
      fc.property(types, fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (type, bytes) => {
        const typeUrl = `type.googleapis.com/machine.${type}`;
        const event = decoded(typeUrl, bytes);
        if (event === undefined) return;
        const context = { linkAddress: LINK, isExcluded: createAddressFilter([]) };
        const drawn = planEvent(event, context);
        const summary = markOf(event, drawn)?.summary ?? '';
        assert.ok(!/\p{Cc}/u.test(summary) && summary.length < 500, JSON.stringify(summary));
        const line = eventLine({ event, id: 'x', typeUrl, node: '[::1]:1', annotation: undefined, nowMs: 1 });
        assert.deepEqual(JSON.parse(line).component, 'sink');
        assert.deepEqual(planEvent(event, context), drawn);
      }),
      { numRuns: 10_000 },
    );
  });
});

function decoded(typeUrl: string, value: Uint8Array): MachineEvent | undefined {
  try {
    return decodeMachineEvent({ typeUrl, value });
  } catch (error) {
    assert.ok(error instanceof Error);
    return undefined;
  }
}
