import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster, Machine, MetalMachine, Server, ServerBinding, ServerClass } from '@bloomery/model';
import { ANNOTATIONS } from '@bloomery/model';
import type { MetalMachineInput } from './plan.ts';
import { planMetalMachine } from './plan.ts';
import { progressOf } from './status.ts';

const GONE = '2024-01-01T00:00:00Z';
const metalMachine = (spec: MetalMachine['spec'], metadata: Partial<MetalMachine['metadata']> = {}): MetalMachine => ({
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind: 'MetalMachine',
  metadata: { name: 'm', namespace: 'n', ...metadata },
  spec: spec ?? {},
});
const machine = (dataSecretName?: string): Machine => ({
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Machine',
  metadata: { name: 'm', namespace: 'n' },
  spec: {
    clusterName: 'c',
    bootstrap: dataSecretName === undefined ? {} : { dataSecretName },
    infrastructureRef: { name: 'm' },
  },
});
const cluster = (infrastructureReady: boolean, isPaused = false): Cluster => ({
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { name: 'c', namespace: 'n' },
  spec: { paused: isPaused },
  status: { infrastructureReady },
});
const server = (name: string, status: Server['status'] = { isClean: true }, accepted = true): Server => ({
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'Server',
  metadata: { name },
  spec: { accepted },
  status,
});
const binding = (name: string, status: ServerBinding['status'] = {}, deletionTimestamp?: string): ServerBinding => ({
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
  kind: 'ServerBinding',
  metadata: { name, ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }) },
  spec: { metalMachineRef: { name: 'm', namespace: 'n' } },
  status,
});
const serverClass = (...serversAvailable: string[]): ServerClass => ({
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'ServerClass',
  metadata: { name: 'any' },
  spec: {},
  status: { serversAvailable, serversInUse: [] },
});

const open: MetalMachineInput = {
  metalMachine: metalMachine({ serverClassRef: { name: 'any' } }),
  machine: machine('secret'),
  clusterName: 'c',
  cluster: cluster(true),
  ownBindings: [],
  binding: undefined,
  server: undefined,
  serverClass: serverClass('a', 'b'),
  servers: [server('a', { isClean: false }), server('b')],
};
const named = { metalMachine: metalMachine({ serverRef: { name: 'a' } }) };
const own = binding('a');

const decide = (input: Partial<MetalMachineInput>): string => {
  const plan = planMetalMachine({ ...open, ...input });
  switch (plan.do) {
    case 'wait':
      return plan.wait.reason;
    case 'release':
      return `release ${plan.bindings.join(',')}`;
    case 'allocate':
      return `allocate ${plan.candidates.join(',')}`;
    case 'adopt':
      return `adopt ${plan.server}`;
    default:
      return plan.do;
  }
};

const cases: [name: string, input: Partial<MetalMachineInput>, want: string][] = [
  ['only clean members are candidates', {}, 'allocate b'],
  [
    'a Server that lost its binding without a release is no candidate',
    { servers: [{ ...server('b'), metadata: { name: 'b', annotations: { [ANNOTATIONS.boundTo]: 'x' } } }] },
    'NoServerAvailable',
  ],
  ['an empty class is waited for', { serverClass: serverClass() }, 'NoServerAvailable'],
  [
    'a class that cannot be evaluated is said',
    { serverClass: { ...serverClass('b'), status: { serversAvailable: ['b'], serversInUse: [], problem: 'x' } } },
    'ServerClassBroken',
  ],
  ['a binding that is there is taken up again', { ownBindings: [own] }, 'adopt a'],
  ['a binding that goes is not taken up', { ownBindings: [binding('a', {}, GONE)] }, 'allocate b'],
  ['a named Server is bound', { ...named, server: server('a') }, 'bind'],
  ['a binding of its own is followed', { ...named, binding: own, ownBindings: [own] }, 'follow'],
  ['a foreign binding is waited for', { ...named, binding: binding('a') }, 'ServerTaken'],
  ['without an owner Machine nothing happens', { machine: undefined }, 'WaitingForMachine'],
  ['without a cluster name nothing happens', { clusterName: undefined, cluster: undefined }, 'WaitingForCluster'],
  ['without a Cluster nothing happens', { cluster: undefined }, 'WaitingForCluster'],
  ['without cluster infrastructure nothing happens', { cluster: cluster(false) }, 'WaitingForClusterInfrastructure'],
  ['without bootstrap data nothing happens', { machine: machine() }, 'WaitingForBootstrapData'],
  ['a paused Cluster stops everything', { cluster: cluster(true, true) }, 'Paused'],
  [
    'a paused Cluster stops deletion too',
    { cluster: cluster(true, true), metalMachine: metalMachine({}, { deletionTimestamp: GONE }) },
    'Paused',
  ],
  [
    'deletion passes closed gates',
    { machine: undefined, cluster: undefined, metalMachine: metalMachine({}, { deletionTimestamp: GONE }) },
    'finish',
  ],
  [
    'deletion releases every binding of its own',
    { ownBindings: [own, binding('z', {}, GONE)], metalMachine: metalMachine({}, { deletionTimestamp: GONE }) },
    'release a',
  ],
];
describe('planMetalMachine', () => {
  for (const [name, input, want] of cases) it(name, () => assert.equal(decide(input), want));
});

const at = '2024-01-01T00:00:00Z';
const reports = (type: string, status: 'True' | 'False', reason?: string): ServerBinding =>
  binding('a', { conditions: [{ type, status, lastTransitionTime: at, ...(reason === undefined ? {} : { reason }) }] });
const waiting: Server['status'] = {
  inUse: true,
  power: 'on',
  conditions: [
    { type: 'Ready', status: 'False', reason: 'WaitingForNetworkBoot', message: 'by hand', lastTransitionTime: at },
  ],
};
const progress: [name: string, from: ServerBinding, on: Server | undefined, want: string][] = [
  ['an installed machine runs', reports('TalosInstalled', 'True'), undefined, 'Running'],
  ['a refused config is said', reports('TalosConfigLoaded', 'False'), undefined, 'Booting ConfigRefused'],
  [
    'a config that did not validate is said',
    reports('TalosConfigValidated', 'False'),
    undefined,
    'Booting ConfigRefused',
  ],
  [
    'an installation in progress is said',
    reports('TalosInstalled', 'False', 'TalosInstallationInProgress'),
    undefined,
    'Installing Installing',
  ],
  [
    'a failed installation is said',
    reports('TalosInstalled', 'False', 'TalosInstallationFailed'),
    undefined,
    'Installing InstallationFailed',
  ],
  ['a loaded config means installing', reports('TalosConfigLoaded', 'True'), undefined, 'Installing Installing'],
  ['a machine that is on is booting', binding('a'), server('a', { power: 'on' }), 'Booting WaitingForSystem'],
  ['a machine that is off is assigned', binding('a'), server('a', { power: 'off' }), 'Assigned WaitingForPowerOn'],
  [
    'what the Server waits for is the deepest cause',
    binding('a'),
    server('a', waiting),
    'Booting WaitingForNetworkBoot',
  ],
];
describe('progress of an allocated MetalMachine', () => {
  for (const [name, from, on, want] of progress) {
    it(name, () => {
      const { phase, wait } = progressOf(from, on);
      assert.equal([phase, ...(wait === undefined ? [] : [wait.reason])].join(' '), want);
    });
  }
});
