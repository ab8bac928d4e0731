import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { renderTable } from './table.ts';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const metadata = { name: 'x', creationTimestamp: '2026-01-01T00:00:00Z' };

/** The cells of an object by column, but its name. */
function cells(group: string, kind: string, object: JsonObject): { readonly [column: string]: Json | undefined } {
  const table = renderTable({ group, kind, columns: [] }, [{ metadata, ...object }], { nowMs: NOW });
  const { columnDefinitions, rows } = table;
  assert.ok(Array.isArray(columnDefinitions) && Array.isArray(rows) && isJsonObject(rows[0]));
  const values: Json = rows[0]['cells'] ?? [];
  assert.ok(Array.isArray(values));
  const named = columnDefinitions.map((column: Json, i) => {
    assert.ok(isJsonObject(column));
    return [String(column['name']), values[i]] as const;
  });
  return Object.fromEntries(named.filter(([name]) => name !== 'Name'));
}

const template = {
  spec: {
    containers: [
      { name: 'a', image: 'i:1' },
      { name: 'b', image: 'i:2' },
    ],
  },
};
const selector = {
  matchLabels: { b: '2', a: '1' },
  matchExpressions: [{ key: 'c', operator: 'In', values: ['d', 'e'] }],
};
const SELECTOR = 'a=1,b=2,c in (d,e)';

const cases: [group: string, kind: string, object: JsonObject, want: JsonObject][] = [
  [
    '',
    'Pod',
    {
      spec: { ...template.spec, nodeName: 'n', readinessGates: [{ conditionType: 'g' }] },
      status: {
        phase: 'Running',
        podIP: '10.0.0.1',
        conditions: [{ type: 'g', status: 'True' }],
        containerStatuses: [
          { ready: true, restartCount: 2, lastState: { terminated: { finishedAt: '2026-01-01T00:30:00Z' } } },
          { ready: false, restartCount: 0, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
      },
    },
    {
      Ready: '1/2',
      Status: 'CrashLoopBackOff',
      Restarts: '2 (30m ago)',
      Age: '60m',
      IP: '10.0.0.1',
      Node: 'n',
      'Nominated Node': '<none>',
      'Readiness Gates': '1/1',
    },
  ],
  [
    '',
    'Node',
    {
      metadata: { ...metadata, labels: { 'node-role.kubernetes.io/control-plane': '' } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.2' }],
        nodeInfo: {
          kubeletVersion: 'v1.34.4',
          osImage: 'Talos',
          kernelVersion: '6.12',
          containerRuntimeVersion: 'c://2',
        },
      },
    },
    {
      Status: 'Ready,SchedulingDisabled',
      Roles: 'control-plane',
      Age: '60m',
      Version: 'v1.34.4',
      'Internal-IP': '10.0.0.2',
      'External-IP': '<none>',
      'OS-Image': 'Talos',
      'Kernel-Version': '6.12',
      'Container-Runtime': 'c://2',
    },
  ],
  [
    'apps',
    'Deployment',
    { spec: { replicas: 3, selector, template }, status: { readyReplicas: 1, updatedReplicas: 2 } },
    {
      Ready: '1/3',
      'Up-to-date': 2,
      Available: 0,
      Age: '60m',
      Containers: 'a,b',
      Images: 'i:1,i:2',
      Selector: SELECTOR,
    },
  ],
  [
    'batch',
    'Job',
    {
      spec: { completions: 2, selector, template },
      status: {
        succeeded: 2,
        startTime: '2026-01-01T00:00:00Z',
        completionTime: '2026-01-01T00:01:30Z',
        conditions: [{ type: 'Complete', status: 'True' }],
      },
    },
    {
      Status: 'Complete',
      Completions: '2/2',
      Duration: '90s',
      Age: '60m',
      Containers: 'a,b',
      Images: 'i:1,i:2',
      Selector: SELECTOR,
    },
  ],
  [
    '',
    'Service',
    {
      spec: {
        type: 'NodePort',
        clusterIP: '10.0.0.3',
        ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }],
        selector: { a: 'b' },
      },
    },
    {
      Type: 'NodePort',
      'Cluster-IP': '10.0.0.3',
      'External-IP': '<none>',
      'Port(s)': '80:30080/TCP',
      Age: '60m',
      Selector: 'a=b',
    },
  ],
  [
    'discovery.k8s.io',
    'EndpointSlice',
    {
      addressType: 'IPv4',
      ports: [{ port: 80 }],
      endpoints: [
        { addresses: ['1.1.1.1'] },
        { addresses: ['1.1.1.2'] },
        { addresses: ['1.1.1.3'] },
        { addresses: ['1.1.1.4'] },
      ],
    },
    { AddressType: 'IPv4', Ports: '80', Endpoints: '1.1.1.1,1.1.1.2,1.1.1.3 + 1 more...', Age: '60m' },
  ],
  [
    'networking.k8s.io',
    'Ingress',
    { spec: { rules: [{ host: 'a.test' }], tls: [{}] }, status: { loadBalancer: { ingress: [{ ip: '1.1.1.1' }] } } },
    { Class: '<none>', Hosts: 'a.test', Address: '1.1.1.1', Ports: '80, 443', Age: '60m' },
  ],
  [
    'policy',
    'PodDisruptionBudget',
    { spec: { minAvailable: '50%' } },
    { 'Min Available': '50%', 'Max Unavailable': 'N/A', 'Allowed Disruptions': 0, Age: '60m' },
  ],
  [
    'events.k8s.io',
    'Event',
    {
      eventTime: '2026-01-01T00:50:00.000000Z',
      type: 'Normal',
      reason: 'R',
      regarding: { kind: 'Pod', name: 'p' },
      reportingController: 'c',
      reportingInstance: 'i',
      note: 'said\n',
      series: { count: 4, lastObservedTime: '2026-01-01T00:59:00.000000Z' },
    },
    {
      'Last Seen': '60s',
      Type: 'Normal',
      Reason: 'R',
      Object: 'pod/p',
      Subobject: '',
      Source: 'c, i',
      Message: 'said',
      'First Seen': '10m',
      Count: 4,
    },
  ],
];

describe('tables of built-in kinds', () => {
  for (const [group, kind, object, want] of cases) {
    it(`of ${kind}`, () => assert.deepEqual(cells(group, kind, object), want));
  }

  it('hold up against objects without anything', () => {
    const kinds: [string, string][] = [
      ['', 'Pod'],
      ['', 'Node'],
      ['', 'Service'],
      ['', 'Endpoints'],
      ['', 'PersistentVolume'],
      ['', 'PersistentVolumeClaim'],
      ['', 'ResourceQuota'],
      ['', 'ReplicationController'],
      ['', 'PodTemplate'],
      ['apps', 'ControllerRevision'],
      ['apps', 'DaemonSet'],
      ['apps', 'ReplicaSet'],
      ['apps', 'StatefulSet'],
      ['batch', 'CronJob'],
      ['batch', 'Job'],
      ['autoscaling', 'HorizontalPodAutoscaler'],
      ['scheduling.k8s.io', 'PriorityClass'],
      ['apiregistration.k8s.io', 'APIService'],
      ['admissionregistration.k8s.io', 'MutatingWebhookConfiguration'],
      ['networking.k8s.io', 'IngressClass'],
      ['networking.k8s.io', 'NetworkPolicy'],
      ['storage.k8s.io', 'CSIDriver'],
      ['storage.k8s.io', 'StorageClass'],
    ];
    for (const [group, kind] of kinds) {
      for (const broken of [
        {},
        { spec: null, status: [] },
        { spec: { ports: 'x', containers: {}, metrics: [null] } },
      ]) {
        assert.equal(typeof cells(group, kind, broken), 'object', kind);
      }
    }
  });

  it('mark the default StorageClass in its name', () => {
    const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    const kind = { group: 'storage.k8s.io', kind: 'StorageClass', columns: [] };
    const table = renderTable(kind, [{ metadata: { name: 'fast', annotations } }], { nowMs: NOW });
    const { rows } = table;
    assert.ok(Array.isArray(rows) && isJsonObject(rows[0]) && Array.isArray(rows[0]['cells']));
    assert.equal(rows[0]['cells'][0], 'fast (default)');
  });
});
