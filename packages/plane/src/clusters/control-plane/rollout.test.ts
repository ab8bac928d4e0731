import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, TalosConfig, TalosControlPlane } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';
import { viewOf } from '../contract/provider-view.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { configHash, differencesOf, isSameConfig, strategyOf } from './rollout.ts';
import { observed, observedMachine } from './testing/observed.ts';

type Spec = NonNullable<TalosConfig['spec']>;
const { controlPlane } = observed([]);
const wanted: Spec = { generateType: 'controlplane' };

function made(name: string, groupKind: string): Partial<ControlPlaneMachine> {
  const annotations = {
    'cluster.x-k8s.io/cloned-from-name': name,
    'cluster.x-k8s.io/cloned-from-groupkind': groupKind,
  };
  const object = { apiVersion: 'infra/v1', kind: 'T', metadata: { name: 'm1', annotations } };
  return {
    infrastructure: {
      text: 'T m1',
      kind: undefined,
      key: { name: 'm1' },
      mendedApiVersion: undefined,
      object,
      view: viewOf(object),
    },
  };
}

const config = (spec: Spec): Partial<ControlPlaneMachine> => ({
  config: { apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1', kind: 'TalosConfig', metadata: { name: 'm1' }, spec },
});

describe('in what a machine differs from the spec', () => {
  const cases: [name: string, machine: ControlPlaneMachine, want: readonly string[]][] = [
    ['nothing, where nothing is known', observedMachine(1), []],
    ['the version', observedMachine(1, {}, { spec: { version: 'v1.31.0' } }), ['version']],
    ['nothing, with the same template', observedMachine(1, made('t', 'T.infra')), []],
    ['the name of the template', observedMachine(1, made('other', 'T.infra')), ['template']],
    ['the kind of the template', observedMachine(1, made('t', 'Other.infra')), ['template']],
    ['nothing, with the same config', observedMachine(1, config(wanted)), []],
    ['the config', observedMachine(1, config({ ...wanted, talosVersion: 'v1.11' })), ['config']],
    [
      'nothing, where the config was changed in place since',
      observedMachine(1, config({ ...wanted, talosVersion: 'v1.11' }), {
        metadata: { annotations: { [ANNOTATIONS.appliedConfig]: configHash(wanted) } },
      }),
      [],
    ],
  ];
  for (const [name, machine, want] of cases) {
    it(name, () => assert.deepEqual(differencesOf(machine, controlPlane, 'T.infra'), want));
  }

  it('is nothing that is absent, empty or null on one side only', () => {
    const operation = { op: 'remove', path: '/machine/x' };
    const full: Spec = { ...wanted, talosVersion: '', hostname: {}, strategicPatches: [], configPatches: [operation] };
    const bare: Spec = { configPatches: [{ ...operation, value: null }], ...wanted };
    assert.ok(isSameConfig(full, bare));
    assert.equal(configHash(full), configHash(bare));
    const patched = (value: JsonObject): Spec => ({
      ...wanted,
      configPatches: [{ op: 'add', path: '/machine/x', value }],
    });
    assert.equal(configHash(patched({ a: 1, b: { c: 1, d: 2 } })), configHash(patched({ b: { d: 2, c: 1 }, a: 1 })));
    assert.ok(!isSameConfig(wanted, { ...wanted, strategicPatches: ['a: 1'] }));
  });
});

describe('the strategy of a rollout', () => {
  const of = (rolloutStrategy: NonNullable<TalosControlPlane['spec']>['rolloutStrategy']): unknown =>
    strategyOf(observed([], rolloutStrategy === undefined ? {} : { rolloutStrategy }).controlPlane);
  it('is a rolling update with one machine more unless given', () => {
    assert.deepEqual(of(undefined), { type: 'RollingUpdate', maxSurge: 1 });
    assert.deepEqual(of({ type: '' }), { type: 'RollingUpdate', maxSurge: 1 });
    assert.deepEqual(of({ type: 'InPlace', rollingUpdate: { maxSurge: 0 } }), { type: 'InPlace', maxSurge: 0 });
  });
});
