import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { k8sApiProto as api, k8sMetaProto as meta } from '@bloomery/wire';
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { decodeProtobufBody } from './decode-body.ts';

function body<D extends DescMessage>(apiVersion: string, kind: string, desc: D, init: MessageInitShape<D>): Uint8Array {
  const raw = toBinary(desc, create(desc, init));
  const unknown = toBinary(meta.UnknownSchema, create(meta.UnknownSchema, { typeMeta: { apiVersion, kind }, raw }));
  return Uint8Array.from([0x6b, 0x38, 0x73, 0, ...unknown]);
}

describe('protobuf bodies', () => {
  it('a Secret as a Go client sends it: empty texts and the unset time are left out', () => {
    const bytes = body('v1', 'Secret', api.SecretSchema, {
      metadata: {
        name: 's',
        generateName: '',
        namespace: '',
        creationTimestamp: {},
        generation: 0n,
        labels: { a: 'b' },
      },
      data: { k: Uint8Array.from([1, 2]) },
      type: 'Opaque',
      immutable: false,
    });
    assert.deepEqual(decodeProtobufBody(bytes), {
      ok: true,
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's', labels: { a: 'b' } },
        data: { k: 'AQI=' },
        type: 'Opaque',
        immutable: false,
      },
    });
  });

  it('a Lease keeps its microseconds and its zero transitions', () => {
    const bytes = body('coordination.k8s.io/v1', 'Lease', api.LeaseSchema, {
      metadata: { name: 'l', resourceVersion: '7' },
      spec: { holderIdentity: 'me', leaseTransitions: 0, renewTime: { seconds: 1_767_225_600n, nanos: 123_456_000 } },
    });
    assert.deepEqual(decodeProtobufBody(bytes), {
      ok: true,
      object: {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l', resourceVersion: '7' },
        spec: { holderIdentity: 'me', renewTime: '2026-01-01T00:00:00.123456Z', leaseTransitions: 0 },
      },
    });
  });

  it('managed fields, owner references and times of metadata', () => {
    const bytes = body('v1', 'Namespace', api.NamespaceSchema, {
      metadata: {
        name: 'n',
        creationTimestamp: { seconds: 1_767_225_600n },
        ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'o', uid: 'u', controller: true }],
        managedFields: [
          { manager: 'm', operation: 'Apply', fieldsV1: { raw: new TextEncoder().encode('{"f:spec":{}}') } },
        ],
      },
      spec: {},
    });
    assert.deepEqual(decodeProtobufBody(bytes), {
      ok: true,
      object: {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: {
          name: 'n',
          creationTimestamp: '2026-01-01T00:00:00Z',
          ownerReferences: [{ kind: 'K', name: 'o', uid: 'u', apiVersion: 'v1', controller: true }],
          managedFields: [{ manager: 'm', operation: 'Apply', fieldsV1: { 'f:spec': {} } }],
        },
        spec: {},
      },
    });
  });

  it('DeleteOptions under any version', () => {
    const bytes = body('example.com/v1', 'DeleteOptions', meta.DeleteOptionsSchema, {
      propagationPolicy: 'Foreground',
      gracePeriodSeconds: 0n,
      preconditions: { uid: 'u' },
    });
    assert.deepEqual(decodeProtobufBody(bytes), {
      ok: true,
      object: {
        apiVersion: 'example.com/v1',
        kind: 'DeleteOptions',
        gracePeriodSeconds: 0,
        preconditions: { uid: 'u' },
        propagationPolicy: 'Foreground',
      },
    });
  });

  it('a kind without a decoder is unsupported, not malformed', () => {
    const decoded = decodeProtobufBody(body('apps/v1', 'Deployment', api.SecretSchema, {}));
    assert.equal(!decoded.ok && decoded.unsupported, true);
  });

  it('rubbish, truncation and mutation never throw', () => {
    const good = body('v1', 'Secret', api.SecretSchema, {
      metadata: { name: 's', creationTimestamp: { seconds: 5n }, labels: { a: 'b' } },
      data: { k: Uint8Array.from([1]) },
    });
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
