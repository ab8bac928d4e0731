import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster, MetalMachine, Server, ServerBinding } from '@bloomery/model';
import { ANNOTATIONS, FINALIZERS } from '@bloomery/model';
import type { ServerBindingInput } from './plan.ts';
import { planServerBinding } from './plan.ts';

const GONE = '2024-01-01T00:00:00Z';
const binding = (metadata: Partial<ServerBinding['metadata']> = {}): ServerBinding => ({
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind: 'ServerBinding',
  metadata: { name: 's', uid: 'b1', finalizers: [FINALIZERS.serverBinding], ...metadata },
});
const server = (annotations: Record<string, string> = { [ANNOTATIONS.boundTo]: 'b1' }): Server => ({
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'Server',
  metadata: { name: 's', annotations },
});
const metalMachine = (deletionTimestamp?: string): MetalMachine => ({
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind: 'MetalMachine',
  metadata: { name: 'm', namespace: 'n', ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
});
const paused: Cluster = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { name: 'c', namespace: 'n' },
  spec: { paused: true },
};
const decide = (input: Partial<ServerBindingInput>): string => {
  const plan = planServerBinding({
    binding: binding(),
    server: server(),
    metalMachine: undefined,
    cluster: undefined,
    ...input,
  });
  if (plan.do === 'hold') return plan.wait.reason;
  if (plan.do !== 'keep') return plan.do;
  return ['keep', plan.ready ? 'ready' : '', plan.markServer ? 'mark' : '', plan.addFinalizer ? 'finalizer' : '']
    .filter((s) => s !== '')
    .join(' ');
};

const deleted = binding({ deletionTimestamp: GONE });
const cases: [name: string, input: Partial<ServerBindingInput>, want: string][] = [
  ['a living binding that is in order is kept', {}, 'keep ready'],
  [
    'a new one gets its finalizer and marks the Server',
    { binding: binding({ finalizers: [] }), server: server({}) },
    'keep ready mark finalizer',
  ],
  ['one made anew marks the Server with its own uid', { binding: binding({ uid: 'b2' }) }, 'keep ready mark'],
  ['one without a Server is not ready', { server: undefined }, 'keep'],
  ['a deleted one whose MetalMachine is not there is released', { binding: deleted }, 'release'],
  [
    'a deleted one whose MetalMachine goes is released',
    { binding: deleted, metalMachine: metalMachine(GONE) },
    'release',
  ],
  [
    'a deleted one whose MetalMachine lives is held',
    { binding: deleted, metalMachine: metalMachine() },
    'HeldByMetalMachine',
  ],
  ['a deleted one of a paused Cluster is held', { binding: deleted, cluster: paused }, 'Paused'],
  [
    'a deleted one of a protected Server is held',
    { binding: deleted, server: server({ [ANNOTATIONS.protect]: '' }) },
    'Protected',
  ],
  [
    'one that was moved elsewhere goes without a release',
    { binding: binding({ deletionTimestamp: GONE, annotations: { [ANNOTATIONS.deleteForMove]: '' } }) },
    'letGo',
  ],
  [
    'one whose machine lives on under another plane goes, and releases nothing',
    { binding: binding({ deletionTimestamp: GONE, annotations: { [ANNOTATIONS.movedAway]: '' } }) },
    'letGo',
  ],
  ['one without a Server goes', { binding: deleted, server: undefined, metalMachine: metalMachine() }, 'letGo'],
  [
    'one that only others hold is left to them',
    { binding: binding({ deletionTimestamp: GONE, finalizers: ['other'] }) },
    'nothing',
  ],
];
describe('planServerBinding', () => {
  for (const [name, input, want] of cases) it(name, () => assert.equal(decide(input), want));
});
