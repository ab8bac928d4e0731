import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import {
  cluster,
  type Finding,
  type KindRef,
  type KubeObject,
  machine,
  machineDeployment,
  machineSet,
  metalCluster,
  metalMachine,
  server,
  serverBinding,
  talosConfig,
  talosControlPlane,
} from '@bloomery/model';
import { explainFrom } from './explain-from.ts';
import type { ExplainedObject } from './explain-input.ts';

const SINCE = '2026-01-01T11:00:00Z';
const ready = { type: 'Ready', status: 'True', lastTransitionTime: SINCE };
const waits = (reason: string, message: string, severity = 'Info'): { readonly conditions: readonly object[] } => ({
  conditions: [{ type: 'Ready', status: 'False', severity, reason, message, lastTransitionTime: SINCE }],
});
const other: KindRef = {
  group: 'infrastructure.example.org',
  version: 'v1',
  kind: 'OtherMachine',
  plural: 'othermachines',
  scope: 'Namespaced',
};
const ref = (kind: KindRef, name: string): object => ({
  apiVersion: `${kind.group}/${kind.version}`,
  kind: kind.kind,
  name,
});

interface Item {
  readonly kind: KindRef;
  readonly name: string;
  readonly owner?: KindRef & { readonly name: string };
  readonly spec?: object;
  readonly status?: object;
  readonly deletionTimestamp?: string;
}

function explain(items: readonly Item[], about: KindRef, name: string): readonly Finding[] {
  const cache = createObjectCache();
  const made = items.map(({ kind, owner, deletionTimestamp, ...item }) => {
    const namespace = kind.scope === 'Cluster' ? {} : { namespace: 'default' };
    const ownerReferences = owner && [{ apiVersion: '', kind: owner.kind, name: owner.name, uid: '' }];
    const metadata = {
      name: item.name,
      ...namespace,
      ...(ownerReferences ? { ownerReferences } : {}),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    };
    const object = { apiVersion: '', kind: kind.kind, ...item, metadata } as KubeObject;
    cache.put(kind, object);
    return object;
  });
  const object = made.find((o) => o.kind === about.kind && o.metadata.name === name) as ExplainedObject;
  return explainFrom(object, { cache, entries: () => [], nowMs: Date.parse('2026-01-01T12:00:00Z') });
}
const rules = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ rule, cause }) => `${rule}: ${cause.split(':')[0]}`);

const machineOf = (name: string, owner: Item['owner'], status: object, kind: KindRef = metalMachine): Item => ({
  kind: machine,
  name,
  ...(owner === undefined ? {} : { owner }),
  spec: { clusterName: 'forge', bootstrap: { configRef: ref(talosConfig, name) }, infrastructureRef: ref(kind, name) },
  status,
});
const controlPlane: Item = { kind: talosControlPlane, name: 'cp', status: waits('WaitingForMachines', '0 of 1') };
const set: Item = {
  kind: machineSet,
  name: 'workers-a',
  owner: { ...machineDeployment, name: 'workers' },
  status: waits('WaitingForMachines', '0 of 1'),
};
const forge: readonly Item[] = [
  {
    kind: cluster,
    name: 'forge',
    spec: { controlPlaneRef: ref(talosControlPlane, 'cp'), infrastructureRef: ref(metalCluster, 'forge') },
    status: waits('WaitingForControlPlane', 'TalosControlPlane cp is not ready'),
  },
  { kind: metalCluster, name: 'forge', status: { conditions: [ready] } },
  controlPlane,
  machineOf('cp-1', { ...talosControlPlane, name: 'cp' }, waits('WaitingForInfrastructure', 'MetalMachine cp-1')),
  { kind: metalMachine, name: 'cp-1', spec: { serverRef: { name: 's' } }, status: waits('WaitingForPowerOn', 'off') },
  { kind: serverBinding, name: 's', spec: { metalMachineRef: { name: 'cp-1', namespace: 'default' } } },
  { kind: server, name: 's', spec: { accepted: true }, status: waits('PowerUnknown', 'no answer', 'Warning') },
  { kind: machineDeployment, name: 'workers', status: waits('WaitingForMachines', '0 of 1') },
  set,
  machineOf('w-1', { ...machineSet, name: 'workers-a' }, waits('WaitingForControlPlane', 'not initialised'), other),
  { kind: other, name: 'w-1', status: { conditions: [ready] } },
];

describe('the explanation of many machines', () => {
  it('begins with the machine that holds the others up', () => {
    assert.deepEqual(rules(explain(forge, cluster, 'forge')), [
      'PowerUnknown: Server s',
      'WaitingForPowerOn: MetalMachine default/cp-1',
      'WaitingForControlPlane: Machine default/w-1',
      'WaitingForMachines: TalosControlPlane default/cp',
    ]);
  });

  it('is that of the machines of a control plane or MachineDeployment, through its MachineSets', () => {
    assert.equal(rules(explain(forge, talosControlPlane, 'cp'))[0], 'PowerUnknown: Server s');
    assert.deepEqual(rules(explain(forge, machineDeployment, 'workers')), [
      'WaitingForControlPlane: Machine default/w-1',
      'WaitingForMachines: MachineDeployment default/workers',
    ]);
    assert.equal(rules(explain(forge, machineSet, 'workers-a'))[0], 'WaitingForControlPlane: Machine default/w-1');
  });

  it('begins with a reference of the Cluster to what is not there: all others wait for that', () => {
    const lacking = forge
      .filter(({ kind }) => kind !== metalCluster && kind !== machine)
      .map((item) =>
        item.kind === cluster
          ? { ...item, status: waits('WaitingForInfrastructure', 'MetalCluster default/forge does not exist') }
          : item.kind === talosControlPlane
            ? { ...item, status: waits('WaitingForTalosBoot', 'the Kubernetes API has not answered yet') }
            : item,
      );
    assert.equal(rules(explain(lacking, cluster, 'forge'))[0], 'WaitingForInfrastructure: Cluster default/forge');
  });

  it('says nothing of machines that are where they should be', () => {
    const calm = forge.map((item) => ({ ...item, status: { conditions: [ready] } }));
    assert.deepEqual(explain(calm, cluster, 'forge'), []);
  });
});

describe('the explanation of a Machine', () => {
  it('begins with its TalosConfig when that made nothing', () => {
    const status = waits('DataSecretGenerationFailed', 'strategic patch 1: machine.nope is unknown', 'Error');
    const findings = explain([...forge, { kind: talosConfig, name: 'w-1', status }], machine, 'w-1');
    assert.deepEqual(rules(findings), [
      'DataSecretGenerationFailed: TalosConfig default/w-1',
      'WaitingForControlPlane: Machine default/w-1',
    ]);
    assert.match(findings[0]?.cause ?? '', /machine\.nope/);
  });

  it('that is being deleted is what holds it, not that it fails by and by', () => {
    const findings = explain(
      [
        {
          kind: machine,
          name: 'gone',
          deletionTimestamp: SINCE,
          spec: { clusterName: 'forge' },
          status: {
            conditions: [
              ...waits('WaitingForInfrastructureToGo', 'waiting for OtherMachine default/gone to go').conditions,
              {
                type: 'EtcdMemberHealthy',
                status: 'False',
                severity: 'Warning',
                reason: 'MachineSilent',
                message: 'no answer',
              },
            ],
          },
        },
      ],
      machine,
      'gone',
    );
    assert.deepEqual(rules(findings), ['WaitingForInfrastructureToGo: Machine default/gone']);
  });

  it('is not disturbed by infrastructure whose status is nonsense', () => {
    const nonsense = [
      { conditions: 'none', waitingFor: 5 },
      {
        conditions: [
          null,
          1,
          { type: 5 },
          { type: 'Ready', status: 'Maybe' },
          { type: 'Ready', status: 'False', reason: [] },
        ],
      },
      { conditions: { Ready: true } },
      [],
      'ready',
    ];
    for (const status of nonsense) {
      const broken = forge.map((item) => (item.kind === other ? { ...item, status: status as object } : item));
      assert.equal(rules(explain(broken, machine, 'w-1'))[0], 'WaitingForControlPlane: Machine default/w-1');
    }
  });

  it('goes through infrastructure of any kind', () => {
    const broken = forge.map((item) =>
      item.kind === other ? { ...item, status: waits('QuotaExceeded', 'no room', 'Error') } : item,
    );
    assert.equal(rules(explain(broken, machine, 'w-1'))[0], 'QuotaExceeded: OtherMachine default/w-1');
  });
});
