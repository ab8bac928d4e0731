import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConditionDraft } from '@bloomery/kube';
import { decodeMachineEvent, machineEventRequest } from '@bloomery/siderolink';
import { machineEventsProto as proto } from '@bloomery/wire';
import { createAddressFilter } from './address-filter.ts';
import { type EventPlan, planEvent } from './plan-event.ts';

const LINK = 'fdae:41e4:649b:9303::a1';
const NOOP = proto.SequenceEvent_Action.NOOP;
const START = proto.SequenceEvent_Action.START;

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
  ['the end of a sequence without an error is no failure', sequence({ sequence: 'install', action: NOOP }), undefined],
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
];

describe('what an event of a machine means', () => {
  for (const [name, got, want] of cases) it(name, () => assert.deepEqual(got.conditions, want));

  it('keeps the usable addresses in the order of the machine', () => {
    const addresses = ['172.25.0.5', LINK, 'not-an-ip', '10.250.1.1', '169.254.3.4', 'fe80::1', '2001:db8::7'];
    const got = plan(machineEventRequest(proto.AddressEventSchema, { hostname: 'pxe-2', addresses }, ''));
    assert.deepEqual(got.spec, { hostname: 'pxe-2', addresses: ['172.25.0.5', '2001:db8::7'] });
  });

  it('has nothing to say about messages that it does not know', () => {
    assert.equal(decodeMachineEvent({ typeUrl: 'x/machine.RestartEvent', value: new Uint8Array([1]) }), undefined);
    assert.equal(decodeMachineEvent({ typeUrl: 'toString', value: new Uint8Array() }), undefined);
  });
});
