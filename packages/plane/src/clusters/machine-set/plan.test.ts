import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, Machine, MachineSet } from '@bloomery/model';
import { type MachineSetInput, needsFreshRead, planMachineSet } from './plan.ts';

const set = (replicas: number): MachineSet =>
  ({
    metadata: { name: 'ms', uid: 'u' },
    spec: { clusterName: 'c', replicas, selector: { matchLabels: { a: 'b' } } },
  }) as unknown as MachineSet;
const MARKED = {
  conditions: ['HealthCheckSucceeded', 'OwnerRemediated'].map((type) => ({
    type,
    status: 'False',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })),
};
const machine = (name: string, status: JsonObject = {}, metadata: JsonObject = {}): Machine =>
  ({
    metadata: {
      name,
      labels: { a: 'b' },
      ownerReferences: [{ kind: 'MachineSet', name: 'ms', uid: 'u', controller: true }],
      ...metadata,
    },
    status: { nodeRef: { name }, ...status },
  }) as unknown as Machine;
const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };

describe('the next step of a MachineSet', () => {
  const held = { reason: 'WaitingForControlPlaneUpgrade', message: 'later' } as const;
  const cases: [
    what: string,
    input: Partial<MachineSetInput> & { readonly machines: readonly Machine[] },
    replicas: number,
    want: { remediate?: string; remove?: string; create?: number; held?: boolean },
  ][] = [
    ['is nothing when all is as it should be', { machines: [machine('a'), machine('b')] }, 2, {}],
    ['is to make what is missing', { machines: [machine('a')] }, 3, { create: 2 }],
    [
      'is not to make what is missing while it may not',
      { machines: [machine('a')], preflight: held },
      3,
      { held: true },
    ],
    [
      'is to take what is too many also while it may not make any',
      { machines: [machine('a'), machine('b')], preflight: held },
      1,
      { remove: 'a' },
    ],
    ['counts what is going', { machines: [machine('a', {}, going), machine('b')] }, 2, {}],
    ['takes no more for what is going', { machines: [machine('a', {}, going), machine('b')] }, 1, {}],
    ['is to replace what is unhealthy', { machines: [machine('a', MARKED), machine('b')] }, 2, { remediate: 'a' }],
    [
      'takes what is unhealthy for what is too many',
      { machines: [machine('a'), machine('b', MARKED)] },
      1,
      { remediate: 'b' },
    ],
    [
      'replaces no more at a time than allowed',
      {
        machines: [machine('a', MARKED), machine('b', MARKED), machine('c', MARKED, going)],
        deployment: { isCurrent: true, maxInFlight: 2 },
      },
      3,
      { remediate: 'a' },
    ],
    [
      'replaces nothing when nothing is allowed',
      { machines: [machine('a', MARKED)], deployment: { isCurrent: true, maxInFlight: 0 } },
      1,
      {},
    ],
    [
      'replaces nothing of an old template: it goes anyway',
      { machines: [machine('a', MARKED)], deployment: { isCurrent: false, maxInFlight: undefined } },
      1,
      {},
    ],
    [
      'does not replace while the control plane is upgraded',
      { machines: [machine('a', MARKED)], preflight: held },
      1,
      { held: true },
    ],
  ];
  for (const [what, input, replicas, want] of cases) {
    it(what, () => {
      const whole = { machineSet: set(replicas), preflight: undefined, deployment: undefined, ...input };
      const plan = planMachineSet(whole, Date.parse('2026-01-02T00:00:00Z'));
      const names = (machines: readonly Machine[]): string => machines.map(({ metadata }) => metadata.name).join(' ');
      assert.deepEqual(
        {
          remediate: names(plan.remediate),
          remove: names(plan.remove),
          create: plan.create,
          held: plan.held !== undefined,
        },
        { remediate: '', remove: '', create: 0, held: false, ...want },
      );
      assert.equal(needsFreshRead(plan), plan.create > 0 || names(plan.remediate) !== '' || names(plan.remove) !== '');
    });
  }
});
