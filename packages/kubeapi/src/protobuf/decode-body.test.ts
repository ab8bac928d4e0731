import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { encodeProtobuf } from '../testing/encode-protobuf.ts';
import { decodeProtobufBody } from './decode-body.ts';

function decoded(message: string, sent: JsonObject): JsonObject {
  const result = decodeProtobufBody(encodeProtobuf(message, sent));
  assert.ok(result.ok, result.ok ? '' : result.message);
  return result.object;
}

const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', labels: { app: 'x' } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: 'x' } },
    template: {
      metadata: { labels: { app: 'x' } },
      spec: {
        volumes: [{ name: 'v', secret: { secretName: 's', defaultMode: 420 } }],
        containers: [
          {
            name: 'c',
            image: 'i',
            args: ['', 'a'],
            ports: [{ name: 'http', containerPort: 80 }],
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
            resources: { limits: { cpu: '100m' }, requests: { memory: '1Gi' } },
            livenessProbe: { httpGet: { path: '/', port: 'http' }, periodSeconds: 5 },
          },
        ],
        tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 0 }],
      },
    },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: '25%' } },
  },
};

describe('protobuf bodies', () => {
  it('a Secret as a Go client sends it: empty texts and the unset time are left out', () => {
    const sent = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 's',
        generateName: '',
        namespace: '',
        creationTimestamp: '1970-01-01T00:00:00Z',
        generation: 0,
        labels: { a: 'b' },
      },
      data: { k: 'AQI=' },
      type: 'Opaque',
      immutable: false,
    };
    const metadata = { name: 's', labels: { a: 'b' } };
    assert.deepEqual(decoded('core.Secret', sent), { ...sent, metadata });
  });

  it('a Lease keeps its microseconds and its zero transitions', () => {
    const sent = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'l', resourceVersion: '7' },
      spec: { holderIdentity: 'me', renewTime: '2026-01-01T00:00:00.123456Z', leaseTransitions: 0 },
    };
    assert.deepEqual(decoded('coordination.Lease', sent), sent);
  });

  it('managed fields, owner references and times of metadata', () => {
    const sent = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name: 'n',
        creationTimestamp: '2026-01-01T00:00:00Z',
        ownerReferences: [{ kind: 'K', name: 'o', uid: 'u', apiVersion: 'v1', controller: true }],
        managedFields: [{ manager: 'm', operation: 'Apply', fieldsV1: { 'f:spec': {} } }],
      },
      spec: {},
    };
    assert.deepEqual(decoded('core.Namespace', sent), sent);
  });

  it('a Deployment with inlined sources, quantities and numbers that may be texts', () => {
    assert.deepEqual(decoded('apps.Deployment', deployment), deployment);
  });

  it('what Go never leaves out is shown although nobody sent it', () => {
    const sent = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'e' }, involvedObject: { name: 'x' } };
    assert.deepEqual(decoded('core.Event', sent), { ...sent, reportingComponent: '', reportingInstance: '' });
  });

  it('schemas of a CustomResourceDefinition, with what may stand in the place of one', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'integer', minimum: 0, default: 1 } },
      required: ['a'],
      'x-kubernetes-preserve-unknown-fields': true,
    };
    const sent = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.g.test' },
      spec: {
        group: 'g.test',
        names: { plural: 'things', kind: 'Thing' },
        scope: 'Namespaced',
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    };
    assert.deepEqual(decoded('apiextensions.CustomResourceDefinition', sent), sent);
  });

  it('DeleteOptions under any version', () => {
    const sent = {
      apiVersion: 'example.com/v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u' },
      propagationPolicy: 'Foreground',
    };
    assert.deepEqual(decoded('meta.DeleteOptions', sent), sent);
  });

  it('a kind that is not known is unsupported, not malformed, and the text names it and says what is read', () => {
    const result = decodeProtobufBody(encodeProtobuf('core.Secret', { apiVersion: 'g.test/v1', kind: 'Thing' }));
    assert.deepEqual(result, {
      ok: false,
      unsupported: true,
      message: 'Thing of g.test/v1 is not read as protobuf here; send it as application/json',
    });
  });

  it('a part of a kind is no kind', () => {
    const result = decodeProtobufBody(encodeProtobuf('core.Secret', { apiVersion: 'v1', kind: 'PodSpec' }));
    assert.equal(!result.ok && result.unsupported, true);
  });

  it('unknown fields are skipped', () => {
    const more = new BinaryWriter()
      .tag(2047, WireType.LengthDelimited)
      .string('x')
      .tag(2046, WireType.Varint)
      .bool(true);
    const bytes = encodeProtobuf('core.Secret', { apiVersion: 'v1', kind: 'Secret' });
    assert.equal(decodeProtobufBody(Uint8Array.from([...bytes, ...more.finish()])).ok, true);
  });
});

describe('hostile protobuf', () => {
  it('messages that nest without end are refused', () => {
    let not = new Uint8Array();
    for (let i = 0; i < 5000; i++) not = new BinaryWriter().tag(28, WireType.LengthDelimited).bytes(not).finish();
    const wrap = (number: number, inner: Uint8Array): Uint8Array =>
      new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(inner).finish();
    const raw = wrap(2, wrap(7, wrap(4, wrap(1, not))));
    const type = new BinaryWriter().tag(1, WireType.LengthDelimited).string('apiextensions.k8s.io/v1');
    type.tag(2, WireType.LengthDelimited).string('CustomResourceDefinition');
    const body = Uint8Array.from([0x6b, 0x38, 0x73, 0, ...wrap(1, type.finish()), ...wrap(2, raw)]);
    assert.deepEqual(decodeProtobufBody(body), {
      ok: false,
      unsupported: false,
      message: 'messages nest deeper than 100',
    });
  });

  it('a body of nothing but empty messages is refused before it fills the memory', () => {
    const empties = new Uint8Array(600_000).map((_, i) => (i % 2 === 0 ? 0x12 : 0));
    const head = encodeProtobuf('core.Secret', { apiVersion: 'v1', kind: 'ServiceAccount' });
    const raw = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(empties).finish();
    const result = decodeProtobufBody(Uint8Array.from([...head, ...raw]));
    assert.equal(!result.ok && result.message, 'more than 250000 messages');
  });

  it('rubbish, truncation and mutation never throw', () => {
    const good = encodeProtobuf('apps.Deployment', deployment);
    for (let length = 0; length < good.length; length++) decodeProtobufBody(good.subarray(0, length));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = Uint8Array.from(good);
        for (const [at, byte] of changes) bytes[at] = byte;
        decodeProtobufBody(bytes);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        (bytes) => void decodeProtobufBody(Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes])),
      ),
    );
  });
});
