import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { JsonObject } from '../json.ts';
import { defaultMachine } from './admit-machine.ts';
import { isCidr } from './cidr.ts';
import { cluster } from './cluster.ts';
import { machine } from './machine.ts';
import { secondsOf, spanOf } from './v1beta2/seconds.ts';

const metadata = { name: 'x', namespace: 'default' };
const ref = (name: string, namespace = 'default') => ({ apiVersion: 'g/v1', kind: 'K', name, namespace });
const problemsOf = (kind: typeof cluster | typeof machine, spec: JsonObject, old?: JsonObject, name = 'x') =>
  (kind.admit?.({ metadata: { ...metadata, name }, spec }, old && { metadata, spec: old }).problems ?? []).map(
    ({ field, message }) => `${field}: ${message.split(';')[0]}`,
  );

describe('a Cluster is refused', () => {
  const cases: [name: string, spec: JsonObject, old: JsonObject | undefined, want: readonly string[]][] = [
    ['not when it is right', { infrastructureRef: ref('a'), controlPlaneRef: ref('b') }, undefined, []],
    [
      'with a topology, which is not offered',
      { topology: { class: 'x' } },
      undefined,
      ['spec.topology: Forbidden: ClusterClasses are not offered here'],
    ],
    [
      'with references to other namespaces',
      { infrastructureRef: ref('a', 'else'), controlPlaneRef: ref('b', 'else') },
      undefined,
      [
        'spec.infrastructureRef.namespace: Invalid value: "else": must match metadata.namespace',
        'spec.controlPlaneRef.namespace: Invalid value: "else": must match metadata.namespace',
      ],
    ],
    [
      'when it loses its references',
      {},
      { infrastructureRef: ref('a'), controlPlaneRef: ref('b') },
      ['spec.infrastructureRef: Forbidden: cannot be removed', 'spec.controlPlaneRef: Forbidden: cannot be removed'],
    ],
    [
      'with ranges of addresses that are none',
      { clusterNetwork: { pods: { cidrBlocks: ['10.0.0.0/8', '10.0.0.0/33'] }, services: { cidrBlocks: ['x'] } } },
      undefined,
      [
        'spec.clusterNetwork.pods.cidrBlocks[1]: Invalid value: "10.0.0.0/33": invalid CIDR address: 10.0.0.0/33',
        'spec.clusterNetwork.services.cidrBlocks[0]: Invalid value: "x": invalid CIDR address: x',
      ],
    ],
  ];
  for (const [name, spec, old, want] of cases) it(name, () => assert.deepEqual(problemsOf(cluster, spec, old), want));

  it('with a name that cannot be a label', () => {
    assert.match(
      problemsOf(cluster, {}, undefined, 'x'.repeat(64))[0] ?? '',
      /^metadata.name: .*must be a valid label value/,
    );
  });
});

describe('a Machine is refused', () => {
  const right = { clusterName: 'c', bootstrap: { dataSecretName: 'd' }, infrastructureRef: ref('a') };
  const cases: [name: string, spec: JsonObject, old: JsonObject | undefined, want: readonly string[]][] = [
    ['not when it is right', { ...right, version: 'v1.33.0', nodeDrainTimeout: '10m' }, right, []],
    [
      'without bootstrap data',
      { ...right, bootstrap: {} },
      undefined,
      [
        'spec.bootstrap.data: Required value: expected either spec.bootstrap.dataSecretName or spec.bootstrap.configRef to be populated',
      ],
    ],
    [
      'with references to other namespaces',
      { ...right, bootstrap: { configRef: ref('t', 'else') }, infrastructureRef: ref('a', 'else') },
      undefined,
      [
        'spec.bootstrap.configRef.namespace: Invalid value: "else": must match metadata.namespace',
        'spec.infrastructureRef.namespace: Invalid value: "else": must match metadata.namespace',
      ],
    ],
    [
      'when it moves to another Cluster',
      { ...right, clusterName: 'd' },
      right,
      ['spec.clusterName: Forbidden: field is immutable'],
    ],
    [
      'with a version or time spans that are none',
      { ...right, version: 'v1.33', nodeDrainTimeout: '10 minutes' },
      undefined,
      [
        'spec.version: Invalid value: "v1.33": must be a valid semantic version',
        'spec.nodeDrainTimeout: Invalid value: "10 minutes": must be a time span such as 90s, 10m or 1h30m',
      ],
    ],
  ];
  for (const [name, spec, old, want] of cases) it(name, () => assert.deepEqual(problemsOf(machine, spec, old), want));
});

describe('a Machine gets', () => {
  it('the label of its cluster, namespaces, a v before its version and a bound for the deletion of its Node', () => {
    const { namespace: _none, ...bare } = ref('a');
    const made = defaultMachine({
      metadata: { ...metadata, labels: { a: 'b' } },
      spec: { clusterName: 'c', version: '1.33.0', bootstrap: { configRef: bare }, infrastructureRef: bare },
    });
    assert.deepEqual(made, {
      metadata: { ...metadata, labels: { a: 'b', 'cluster.x-k8s.io/cluster-name': 'c' } },
      spec: {
        clusterName: 'c',
        version: 'v1.33.0',
        bootstrap: { configRef: ref('a') },
        infrastructureRef: ref('a'),
        nodeDeletionTimeout: '10s',
      },
    });
    assert.deepEqual(defaultMachine(made), made, 'once');
  });
});

describe('ranges of addresses', () => {
  it('are an address that Node takes for one, and a length that fits it', () => {
    const hostile = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f:.]{0,40}$/), fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(hostile, fc.nat({ max: 200 }), (address, bits) => {
        const family = isIP(address.includes('%') ? '' : address);
        const wanted = (family === 4 && bits <= 32) || (family === 6 && bits <= 128);
        assert.equal(isCidr(`${address}/${bits}`), wanted, `${address}/${bits}`);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('time spans as seconds', () => {
  const cases: [span: string | undefined, seconds: number | undefined][] = [
    ['1m30s', 90],
    ['0', 0],
    ['1.9s', 1],
    ['-1s', undefined],
    ['soon', undefined],
    [undefined, undefined],
  ];
  for (const [span, seconds] of cases) it(String(span), () => assert.equal(secondsOf(span), seconds));
  it('keep the words that they had, where they say the same', () => {
    assert.equal(spanOf(90, '1m30s'), '1m30s');
    assert.equal(spanOf(90, '90s'), '90s');
    assert.equal(spanOf(91, '90s'), '1m31s');
    assert.equal(spanOf(undefined, '90s'), undefined);
    assert.equal(spanOf(undefined, 'soon'), 'soon');
  });
});
