import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeMachineEvent, machineEventRequest } from '@bloomery/siderolink';
import { machineEventsProto as proto } from '@bloomery/wire';
import { createAddressFilter } from './address-filter.ts';
import { type EventMark, markOf } from './event-mark.ts';
import { createMarkFolder } from './mark-folder.ts';
import { planEvent } from './plan-event.ts';

type Request = ReturnType<typeof machineEventRequest>;

function mark(request: Request): EventMark | undefined {
  const { typeUrl = '', value = new Uint8Array() } = request.data ?? {};
  const event = decodeMachineEvent({ typeUrl, value });
  assert.ok(event);
  return markOf(event, planEvent(event, { linkAddress: 'fd00:0:0:3::9', isExcluded: createAddressFilter([]) }));
}

/** severity event summary */
function text(request: Request): string | undefined {
  const found = mark(request);
  return found && `${found.kubeEvent === true ? '* ' : ''}${found.severity} ${found.event}: ${found.summary}`;
}

const service = (init: Parameters<typeof machineEventRequest<typeof proto.ServiceStateEventSchema>>[1]): Request =>
  machineEventRequest(proto.ServiceStateEventSchema, { service: 'etcd', ...init }, '');
const sequence = (init: Parameters<typeof machineEventRequest<typeof proto.SequenceEventSchema>>[1]): Request =>
  machineEventRequest(proto.SequenceEventSchema, init, '');
const phase = (name: string, action: 0 | 1): Request =>
  machineEventRequest(proto.PhaseEventSchema, { phase: name, action }, '');
const task = (name: string, action: 0 | 1): Request =>
  machineEventRequest(proto.TaskEventSchema, { task: name, action }, '');
const RUNNING = 3;

const cases: [name: string, request: Request, want: string | undefined][] = [
  [
    'addresses',
    machineEventRequest(proto.AddressEventSchema, { hostname: 'pxe-2', addresses: ['172.25.0.5', 'fe80::1'] }, ''),
    'info AddressesReported: Reports as pxe-2 at 172.25.0.5',
  ],
  [
    'many addresses',
    machineEventRequest(proto.AddressEventSchema, { addresses: [1, 2, 3, 4, 5, 6].map((n) => `10.0.0.${n}`) }, ''),
    'info AddressesReported: Reports as a machine without host name at 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 and 2 more',
  ],
  [
    'no usable address',
    machineEventRequest(proto.AddressEventSchema, { hostname: 'a' }, ''),
    'info AddressesReported: Reports as a at no address that others can use',
  ],
  [
    'a configuration error, one line of it',
    machineEventRequest(proto.ConfigLoadErrorEventSchema, { error: 'yaml: line 2\nsecret: x' }, ''),
    '* error ConfigRefused: The configuration cannot be loaded: yaml: line 2',
  ],
  [
    'an invalid configuration, without what a terminal would obey',
    machineEventRequest(proto.ConfigValidationErrorEventSchema, { error: 'no \u001b[2J disk' }, ''),
    '* error ConfigRefused: The configuration is not valid: no  [2J disk',
  ],
  ['an accepted configuration', phase('saveConfig', 0), 'info ConfigAccepted: Loaded and validated its configuration'],
  ['the start of the installation', phase('install', 0), '* info InstallStarted: Installing to disk'],
  ['a phase', phase('mountState', 0), 'info PhaseStarted: Phase mountState'],
  ['the end of a phase', phase('install', 1), undefined],
  ['a boot', sequence({ sequence: 'boot', action: 1 }), 'info BootStarted: Booting from disk'],
  ['a sequence', sequence({ sequence: 'upgrade', action: 1 }), 'info SequenceStarted: Sequence upgrade'],
  ['the end of a sequence', sequence({ sequence: 'upgrade', action: 2 }), undefined],
  [
    'the end of the installation',
    sequence({ sequence: 'install', error: { message: 'task 1/1: unix.Reboot' } }),
    '* info InstallFinished: Installed; rebooting from disk',
  ],
  [
    'a failed installation',
    sequence({ sequence: 'install', error: { message: 'no disk\nmore' } }),
    '* error InstallFailed: The operating system cannot be installed: no disk',
  ],
  [
    'an installation that did nothing',
    sequence({ sequence: 'install' }),
    '* error InstallFailed: The operating system cannot be installed: the sequence ended without a reason',
  ],
  [
    'a failed sequence',
    sequence({ sequence: 'reset', error: { message: 'disk busy' } }),
    'error SequenceFailed: Sequence reset failed: disk busy',
  ],
  [
    'a locked sequence',
    sequence({ sequence: 'install', error: { code: 1, message: 'locked' } }),
    'warning SequenceFailed: Sequence install failed: locked',
  ],
  ['a task that matters', task('leaveEtcd', 0), 'info TaskStarted: Task leaveEtcd'],
  ['the end of a task', task('leaveEtcd', 1), undefined],
  ['a task of every boot', task('mountStatePartition', 0), undefined],
  ['a service that runs', service({ action: RUNNING }), 'info ServiceRunning: Service etcd runs'],
  [
    'a service of unknown health',
    service({ action: RUNNING, health: { unknown: true } }),
    'info ServiceRunning: Service etcd runs',
  ],
  [
    'a healthy service',
    service({ action: RUNNING, health: { healthy: true } }),
    'info ServiceHealthy: Service etcd is healthy',
  ],
  [
    'a service that is not healthy',
    service({ action: RUNNING, health: { lastMessage: 'no quorum' } }),
    'warning ServiceUnhealthy: Service etcd is not healthy: no quorum',
  ],
  ['a failed service', service({ action: 6, message: 'exit 1' }), 'error ServiceFailed: Service etcd failed: exit 1'],
  ['a service that waits', service({ action: 2 }), undefined],
  [
    'a machine that is ready',
    machineEventRequest(proto.MachineStatusEventSchema, { stage: 4, status: { ready: true } }, ''),
    'info MachineStatus: The machine is at stage Running, ready',
  ],
  [
    'a machine that is not ready',
    machineEventRequest(
      proto.MachineStatusEventSchema,
      { stage: 4, status: { unmetConditions: [{ name: 'services', reason: 'etcd' }] } },
      '',
    ),
    'info MachineStatus: The machine is at stage Running, not ready: services: etcd',
  ],
  ['a restart', machineEventRequest(proto.RestartEventSchema, { cmd: 1n }, ''), 'info RestartAnnounced: Restarts'],
];

describe('the mark of an event', () => {
  for (const [name, request, want] of cases) {
    it(`${want === undefined ? 'is not left by' : 'tells of'} ${name}`, () => assert.equal(text(request), want));
  }
});

describe('marks of one machine', () => {
  const about = (topic: string, summary: string) => ({ topic, summary });

  it('are folded while the same is said about the same', () => {
    const { offer } = createMarkFolder();
    const said = ['runs', 'runs', 'runs', 'failed', 'runs'].map((summary) => offer(about('service etcd', summary), 0));
    assert.deepEqual(said, [0, undefined, undefined, 2, 0]);
    assert.equal(offer(about('service apid', 'runs'), 0), 0);
  });

  it('come again after ten minutes, but addresses only when they change', () => {
    const { offer } = createMarkFolder();
    const at = (nowMs: number) => ['config', 'addresses'].map((topic) => offer(about(topic, 'same'), nowMs));
    assert.deepEqual(at(0), [0, 0]);
    assert.deepEqual(at(599_999), [undefined, undefined]);
    assert.deepEqual(at(600_000), [2, undefined]);
    assert.equal(offer(about('addresses', 'other'), 600_001), 1);
  });

  it('are news again after the machine began anew', () => {
    const { offer } = createMarkFolder();
    offer(about('service etcd', 'runs'), 0);
    offer(about('addresses', 'same'), 0);
    assert.equal(offer({ ...about('sequence', 'boot'), isBeginning: true }, 1), 0);
    assert.equal(offer(about('service etcd', 'runs'), 2), 0);
    assert.equal(offer(about('addresses', 'same'), 2), undefined);
  });

  it('are at most 200 in ten minutes', () => {
    const { offer } = createMarkFolder();
    const through = (nowMs: number) =>
      Array.from({ length: 1_000 }, (_, i) => offer(about(`topic ${i % 7}`, `${i}`), nowMs)).filter(
        (n) => n !== undefined,
      );
    assert.equal(through(0).length, 200);
    assert.deepEqual(through(600_000).slice(0, 2), [800, 0]);
  });
});
