import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findCondition } from '@bloomery/kube';
import { ANNOTATIONS, type Condition, type Server, type ServerBinding } from '@bloomery/model';
import { planServer, type ServerInput, type ServerPlan } from './plan.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const MINUTE = 60_000;
const ago = (ms: number): string => new Date(NOW - ms).toISOString().replace('.000', '');

type Spec = NonNullable<Server['spec']>;
type Status = NonNullable<Server['status']>;

interface Given {
  readonly spec?: Partial<Spec>;
  readonly status?: Status;
  readonly annotations?: Record<string, string>;
  readonly bound?: Partial<Record<'uid' | 'deletionTimestamp', string>> & {
    readonly conditions?: readonly Condition[];
    readonly link?: Pick<NonNullable<ServerBinding['status']>, 'link' | 'lastHandshake'>;
  };
  readonly input?: Partial<Pick<ServerInput, 'power' | 'powerError' | 'fake' | 'budget'>>;
}

function input({ spec, status, annotations, bound, input: rest }: Given): ServerInput {
  const binding: ServerBinding | undefined = bound && {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: {
      name: 's',
      uid: bound.uid ?? 'b1',
      labels: { 'cluster.x-k8s.io/cluster-name': 'c' },
      ...(bound.deletionTimestamp === undefined ? {} : { deletionTimestamp: bound.deletionTimestamp }),
    },
    spec: { metalMachineRef: { name: 'm', namespace: 'ns' } },
    status: { conditions: [...(bound.conditions ?? [])], ...bound.link },
  };
  return {
    server: {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata: { name: 's', ...(annotations === undefined ? {} : { annotations }) },
      spec: { accepted: true, ...spec },
      ...(status === undefined ? {} : { status }),
    },
    binding,
    power: 'off',
    fake: false,
    budget: true,
    awaited: false,
    rebootTimeoutMs: 20 * MINUTE,
    nowMs: NOW,
    ...rest,
  };
}

const condition = (type: string, status: 'True' | 'False', more: Partial<Condition> = {}): Condition => ({
  type,
  status,
  lastTransitionTime: ago(MINUTE),
  ...more,
});
const cycled = (ms: number): Condition => condition('PowerCycle', 'False', { lastTransitionTime: ago(ms) });
const installed = condition('TalosInstalled', 'True');
const bound = {};

interface Want {
  readonly phase: ServerPlan['phase'];
  readonly action?: ServerPlan['action'];
  readonly wait?: string;
  readonly clean?: boolean;
  readonly ready?: boolean;
}

const rows: readonly [name: string, given: Given, want: Want][] = [
  // metal.md §8, row by row
  [
    'an unaccepted Server that is on is not touched',
    { spec: { accepted: false }, input: { power: 'on' } },
    { phase: 'Discovered', wait: 'WaitingForAccept' },
  ],
  [
    'an unaccepted Server is not clean, even when its agent once said so',
    { spec: { accepted: false }, status: { isClean: true } },
    { phase: 'Discovered', wait: 'WaitingForAccept' },
  ],
  [
    'an unaccepted Server in use runs on',
    { spec: { accepted: false }, bound: { conditions: [installed] }, input: { power: 'on' } },
    { phase: 'Running', wait: 'WaitingForAccept' },
  ],
  [
    'an unaccepted Server in use that is off stays off',
    { spec: { accepted: false }, bound },
    { phase: 'Reserved', wait: 'WaitingForAccept' },
  ],
  [
    'a clean Server that is on is switched off',
    { status: { isClean: true }, input: { power: 'on' } },
    { phase: 'Available', action: 'switchOff', clean: true, ready: true },
  ],
  [
    'a clean Server that is off is done',
    { status: { isClean: true } },
    { phase: 'Available', clean: true, ready: true },
  ],
  [
    'a clean Server whose BMC is silent is available and not ready',
    { status: { isClean: true }, input: { power: 'unknown' } },
    { phase: 'Available', wait: 'PowerUnknown', clean: true },
  ],
  [
    'a clean Server without BMC is left on',
    { status: { isClean: true }, input: { power: 'on', fake: true } },
    { phase: 'Available', clean: true, ready: true },
  ],
  [
    'a clean cordoned Server is switched off too',
    { spec: { cordoned: true }, status: { isClean: true }, input: { power: 'on' } },
    { phase: 'Cordoned', action: 'switchOff', clean: true, ready: true },
  ],
  [
    'a Server is not switched off twice while its BMC still tells the old state',
    { status: { isClean: true, powerIntent: { action: 'switchOff', time: ago(5_000) } }, input: { power: 'on' } },
    { phase: 'Available', clean: true, ready: true },
  ],
  [
    'a Server that does not go off is told again',
    { status: { isClean: true, powerIntent: { action: 'switchOff', time: ago(20_000) } }, input: { power: 'on' } },
    { phase: 'Available', action: 'switchOff', clean: true, ready: true },
  ],
  [
    'an allocated Server that is off boots its environment',
    { bound },
    { phase: 'Reserved', action: 'bootEnvironment', wait: 'WaitingForPowerOn', ready: true },
  ],
  [
    'an allocated Server is dirty at once',
    { status: { isClean: true }, bound },
    { phase: 'Reserved', action: 'bootEnvironment', wait: 'WaitingForPowerOn', ready: true },
  ],
  [
    'an allocated Server that is on is waited for',
    { bound, input: { power: 'on' } },
    { phase: 'Booting', wait: 'WaitingForSystem', ready: true },
  ],
  [
    'an allocated Server without BMC waits for its network boot',
    { bound, input: { power: 'on', fake: true } },
    { phase: 'Reserved', wait: 'WaitingForNetworkBoot', ready: true },
  ],
  [
    'an allocated Server whose BMC is silent is not ready',
    { bound, input: { power: 'unknown' } },
    { phase: 'Reserved', wait: 'PowerUnknown' },
  ],
  [
    'a Server that is installing is left alone',
    { bound: { conditions: [condition('TalosConfigLoaded', 'True')] }, input: { power: 'on' } },
    { phase: 'Installing', wait: 'Installing', ready: true },
  ],
  [
    'a refused configuration is told',
    { bound: { conditions: [condition('TalosConfigValidated', 'False', { message: 'bad' })] }, input: { power: 'on' } },
    { phase: 'Booting', wait: 'ConfigRefused', ready: true },
  ],
  [
    'a failed installation is told',
    { bound: { conditions: [condition('TalosInstalled', 'False', { severity: 'Error' })] }, input: { power: 'on' } },
    { phase: 'Installing', wait: 'InstallationFailed', ready: true },
  ],
  [
    'an installed Server runs',
    { bound: { conditions: [installed] }, input: { power: 'on' } },
    { phase: 'Running', ready: true },
  ],
  [
    'an installed Server that fell silent on its link is Lost, and left alone',
    { bound: { conditions: [installed], link: { link: 'down', lastHandshake: ago(300_000) } }, input: { power: 'on' } },
    { phase: 'Lost', wait: 'LinkDown', ready: true },
  ],
  [
    'an installed Server that never linked runs all the same',
    { bound: { conditions: [installed], link: { link: 'never' } }, input: { power: 'on' } },
    { phase: 'Running', ready: true },
  ],
  [
    'an installed Server that somebody switched off is switched on again',
    { bound: { conditions: [installed] } },
    { phase: 'Running', action: 'bootEnvironment', ready: true },
  ],
  [
    'an allocated Server is not switched on twice while its BMC still tells the old state',
    { bound, status: { powerIntent: { action: 'bootEnvironment', time: ago(5_000) } } },
    { phase: 'Reserved', wait: 'WaitingForPowerOn', ready: true },
  ],
  [
    'a dirty Server that is off boots its agent',
    {},
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a dirty Server that is on boots its agent',
    { input: { power: 'on' } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a dirty cordoned Server is wiped all the same',
    { spec: { cordoned: true } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a dirty Server whose BMC is silent waits for it',
    { input: { power: 'unknown' } },
    { phase: 'Accepted', wait: 'PowerUnknown' },
  ],
  [
    'a dirty Server without BMC waits for its network boot',
    { input: { power: 'on', fake: true } },
    { phase: 'Accepted', wait: 'WaitingForNetworkBoot' },
  ],
  [
    'a released Server boots its agent',
    { status: { released: { time: ago(MINUTE), binding: 'b0' }, wipe: { finishedAt: ago(60 * MINUTE) } } },
    { phase: 'Releasing', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a Server that was made dirty by hand after its release is not releasing any more',
    { status: { released: { time: ago(60 * MINUTE) }, wipe: { finishedAt: ago(MINUTE) } } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  // power cycles
  [
    'a machine that was cycled is given the reboot timeout',
    { status: { conditions: [cycled(20 * MINUTE - 1000)] }, input: { power: 'on' } },
    { phase: 'Accepted', wait: 'WaitingForAgent' },
  ],
  [
    'a machine that stays silent is cycled again',
    { status: { conditions: [cycled(20 * MINUTE)] }, input: { power: 'on' } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a living agent is given time',
    { status: { conditions: [cycled(MINUTE)], wipe: { startedAt: ago(60 * MINUTE) } }, input: { power: 'on' } },
    { phase: 'Wiping', wait: 'Wiping' },
  ],
  [
    'a silent agent is booted again',
    { status: { conditions: [cycled(20 * MINUTE)], wipe: { startedAt: ago(60 * MINUTE) } }, input: { power: 'on' } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a living agent on a machine without BMC is seen',
    {
      status: { conditions: [cycled(MINUTE)], wipe: { startedAt: ago(2 * MINUTE) } },
      input: { power: 'on', fake: true },
    },
    { phase: 'Wiping', wait: 'Wiping' },
  ],
  [
    'a wipe that was done once does not hold up the next',
    {
      status: {
        conditions: [condition('PowerCycle', 'True')],
        wipe: { startedAt: ago(9 * MINUTE), finishedAt: ago(8 * MINUTE) },
      },
    },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a cycle that may have been sent before a restart is waited for',
    { status: { powerIntent: { action: 'bootAgent', time: ago(6 * MINUTE) } }, input: { power: 'on' } },
    { phase: 'Accepted', wait: 'WaitingForAgent' },
  ],
  [
    'a cycle that was never sent is sent after a third of the timeout',
    { status: { powerIntent: { action: 'bootAgent', time: ago(7 * MINUTE) } }, input: { power: 'on' } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a machine that is still off was certainly not switched on',
    { status: { powerIntent: { action: 'bootAgent', time: ago(1000) } } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'the intent of an earlier allocation does not hold up a wipe',
    { status: { powerIntent: { action: 'bootEnvironment', time: ago(1000) } }, input: { power: 'on' } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  // guards
  [
    'a protected Server is not wiped',
    { annotations: { [ANNOTATIONS.protect]: '' } },
    { phase: 'Parked', wait: 'Protected' },
  ],
  [
    'a protected clean Server is available',
    { annotations: { [ANNOTATIONS.protect]: '' }, status: { isClean: true } },
    { phase: 'Available', clean: true, ready: true },
  ],
  [
    'a paused Server is left alone',
    { annotations: { [ANNOTATIONS.pause]: '' }, input: { power: 'on' } },
    { phase: 'Discovered', wait: 'Paused' },
  ],
  [
    'a paused clean Server stays clean and on',
    {
      annotations: { [ANNOTATIONS.capiPaused]: '' },
      status: { isClean: true, phase: 'Available', ready: true },
      input: { power: 'on' },
    },
    { phase: 'Available', wait: 'Paused', clean: true, ready: true },
  ],
  [
    'a paused allocated Server stays off',
    { annotations: { [ANNOTATIONS.pause]: '' }, status: { phase: 'Reserved' }, bound },
    { phase: 'Reserved', wait: 'Paused' },
  ],
  [
    'a Server that is moved elsewhere is left alone',
    { annotations: { [ANNOTATIONS.deleteForMove]: '' } },
    { phase: 'Discovered', wait: 'Paused' },
  ],
  [
    'a Server whose binding vanished is parked',
    { annotations: { [ANNOTATIONS.boundTo]: 'b0' }, input: { power: 'on' } },
    { phase: 'Parked', wait: 'BindingVanished' },
  ],
  [
    'a Server whose binding vanished is parked though it counts as clean',
    { annotations: { [ANNOTATIONS.boundTo]: 'b0' }, status: { isClean: true }, input: { power: 'on' } },
    { phase: 'Parked', wait: 'BindingVanished' },
  ],
  [
    'a Server wiped three times for nobody is parked',
    { status: { wipe: { withoutAllocation: 3 } } },
    { phase: 'Parked', wait: 'LoopDetected' },
  ],
  [
    'two wipes are no loop',
    { status: { wipe: { withoutAllocation: 2 } } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'somebody may start the loop again',
    { annotations: { [ANNOTATIONS.resetLoop]: '' }, status: { wipe: { withoutAllocation: 3 } } },
    { phase: 'Accepted', action: 'bootAgent', wait: 'WaitingForAgent' },
  ],
  [
    'a clean Server is available after its third wipe',
    { status: { isClean: true, wipe: { withoutAllocation: 3 } } },
    { phase: 'Available', clean: true, ready: true },
  ],
  [
    'a spent wipe budget is waited for',
    { status: { released: { time: ago(MINUTE) } }, input: { budget: false } },
    { phase: 'Releasing', wait: 'WipeBudgetSpent' },
  ],
  [
    'a wipe that began is not stopped by the budget',
    {
      status: { released: { time: ago(9 * MINUTE) }, conditions: [cycled(MINUTE)], wipe: { startedAt: ago(MINUTE) } },
      input: { budget: false },
    },
    { phase: 'Wiping', wait: 'Wiping' },
  ],
  // release
  [
    'a Server whose binding is being deleted is releasing',
    { bound: { deletionTimestamp: ago(0) } },
    { phase: 'Releasing', wait: 'Releasing', ready: true },
  ],
  [
    'a Server whose release is held runs on',
    {
      bound: {
        deletionTimestamp: ago(0),
        conditions: [installed, condition('Ready', 'False', { reason: 'HeldByMetalMachine', message: 'held' })],
      },
    },
    { phase: 'Running', action: 'bootEnvironment', wait: 'HeldByMetalMachine', ready: true },
  ],
];

describe('what is done with a Server', () => {
  for (const [name, given, want] of rows) {
    it(name, () => {
      const plan = planServer(input(given));
      const got = {
        phase: plan.phase,
        action: plan.action,
        wait: plan.wait?.reason,
        clean: plan.status['isClean'],
        ready: plan.status['ready'],
      };
      assert.deepEqual(got, { action: 'none', clean: false, ready: false, ...want, wait: want.wait });
      assert.equal(plan.status['inUse'], given.bound !== undefined);
      const ready = plan.status.conditions?.find(({ type }) => type === 'Ready');
      assert.equal(ready?.status, want.wait === undefined ? 'True' : 'False');
    });
  }

  it('names the annotation that ends the loop breaker, and the one that confirms a vanished binding', () => {
    const loop = planServer(input({ status: { wipe: { withoutAllocation: 3 } } }));
    assert.match(loop.wait?.message ?? '', /wiped 3 times without an allocation; next: .*bloomery\.dev\/reset-loop/);
    const vanished = planServer(input({ annotations: { [ANNOTATIONS.boundTo]: 'b0' } }));
    assert.match(vanished.wait?.message ?? '', /take bloomery\.dev\/bound-to away/);
  });

  it('says what holds a Server, and forgets it when it is free', () => {
    const { status } = planServer(input({ bound }));
    assert.deepEqual([status['machine'], status['cluster']], ['ns/m', 'c']);
    const free = planServer(input({})).status;
    assert.deepEqual([free['machine'], free['cluster']], [null, null]);
  });

  it('counts wipes from the last allocation on', () => {
    assert.deepEqual(planServer(input({ bound, status: { wipe: { withoutAllocation: 2 } } })).status['wipe'], {
      withoutAllocation: 0,
    });
  });

  it('forgets the last release when the Server is allocated again, not while its binding goes', () => {
    const released = { time: ago(MINUTE), binding: 'b0' };
    assert.equal(planServer(input({ bound, status: { released } })).status['released'], null);
    const going = planServer(input({ bound: { uid: 'b0', deletionTimestamp: ago(0) }, status: { released } }));
    assert.equal('released' in going.status, false);
  });
});

describe('the condition PXEBooted', () => {
  const had = [condition('PXEBooted', 'True')];
  const pxeBooted = (given: Given): string | null | undefined =>
    planServer(input(given)).status.conditions?.find(({ type }) => type === 'PXEBooted')?.status;

  it('comes with the installation', () => assert.equal(pxeBooted({ bound: { conditions: [installed] } }), 'True'));
  it('is not written again', () =>
    assert.equal(pxeBooted({ bound: { conditions: [installed] }, status: { conditions: had } }), undefined));
  it('is not taken from a running machine', () =>
    assert.equal(pxeBooted({ bound, status: { conditions: had } }), undefined));
  it('goes with the release', () => assert.equal(pxeBooted({ status: { conditions: had } }), null));
  it('stays while nobody released the Server', () =>
    assert.equal(pxeBooted({ annotations: { [ANNOTATIONS.boundTo]: 'b0' }, status: { conditions: had } }), undefined));
  it('of the allocation before does not count for the next', () => {
    const status: Status = { conditions: had, released: { time: ago(MINUTE), binding: 'b0' } };
    assert.equal(pxeBooted({ bound: { uid: 'b1' }, status }), null);
    assert.equal(pxeBooted({ bound: { uid: 'b0', deletionTimestamp: ago(0) }, status }), undefined);
  });
});

describe('the condition BMCReachable', () => {
  it('says why the power is not known, and goes when it is', () => {
    const lost = planServer(input({ input: { power: 'unknown', powerError: 'no answer in 10 s' } })).status.conditions;
    const said = findCondition(lost as readonly Condition[], 'BMCReachable');
    assert.deepEqual([said?.status, said?.severity, said?.message], ['False', 'Warning', 'no answer in 10 s']);
    const found = planServer(input({})).status.conditions?.find(({ type }) => type === 'BMCReachable');
    assert.equal(found?.status, null);
  });
});

describe('when a Server is looked at again', () => {
  const cases: readonly [name: string, given: Given, ms: number | undefined][] = [
    ['an idle one in five minutes', { status: { isClean: true } }, 300_000],
    ['one in use in a minute', { bound, input: { power: 'on' } }, 60_000],
    ['an accepted one with a silent BMC in 20 s', { status: { isClean: true }, input: { power: 'unknown' } }, 20_000],
    [
      'one that wipes within a third of the timeout',
      { status: { conditions: [cycled(0)] }, input: { power: 'on' } },
      60_000,
    ],
    ['one without BMC on its next report only', { input: { power: 'on', fake: true } }, undefined],
  ];
  for (const [name, given, ms] of cases) it(name, () => assert.equal(planServer(input(given)).requeueMs, ms));
});
