import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { allKinds } from './all-kinds.ts';
import { asObject, CONVERSION_DATA } from './conversion-data.ts';
import type { JsonObject } from './json.ts';
import { apiVersionOf } from './kind.ts';
import { serverClassV1alpha1 } from './metal/server-class-v1alpha1.ts';
import { serverV1alpha1 } from './metal/server-v1alpha1.ts';
import { arbitraryOf } from './testing/schema-arbitrary.ts';

describe('conversion to an old version and back without an edit is the identity', () => {
  for (const old of allKinds.filter((kind) => kind.convert !== undefined)) {
    const stored = allKinds.find((kind) => kind.storage && kind.kind === old.kind && kind.group === old.group);
    it(`${old.kind} ${old.version}`, () => {
      assert.ok(stored !== undefined);
      const bodies = arbitraryOf({ ...stored.schema, required: ['spec'] });
      fc.assert(
        fc.property(bodies, (body) => {
          const object: JsonObject = {
            apiVersion: apiVersionOf(stored),
            kind: stored.kind,
            metadata: { name: 'x', annotations: { keep: 'me' } },
            ...asObject(body),
          };
          const there = old.convert?.fromStorage(object) ?? {};
          assert.equal(there['apiVersion'], apiVersionOf(old));
          assert.deepEqual(plain(old.convert?.toStorage(there) ?? {}), plain(object));
        }),
        { numRuns: 300, verbose: 1 },
      );
    });
  }
});

const stored: JsonObject = {
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'Server',
  metadata: { name: 's' },
  spec: {
    accepted: true,
    hostname: 'before',
    strategicPatches: ['a: 1'],
    hardware: {
      system: { uuid: 'u', manufacturer: 'Dell Inc.', serialNumber: '1' },
      compute: {
        totalCoreCount: 8,
        processors: [{ manufacturer: 'Intel', productName: 'E5', speed: 2400 }, { speed: 1 }],
      },
      memory: { totalSize: '32 GB' },
    },
  },
};

const edits: [name: string, edit: (spec: JsonObject) => JsonObject, want: JsonObject][] = [
  [
    'a host name changed through v1alpha1 wins and nothing else moves',
    (spec) => ({ ...spec, hostname: 'after' }),
    { ...asObject(stored['spec']), hostname: 'after' },
  ],
  [
    'a processor name changed through v1alpha1 keeps its speed and the other processors',
    (spec) => ({ ...spec, cpu: { manufacturer: 'Intel', version: 'E7' } }),
    withHardware({
      compute: {
        totalCoreCount: 8,
        processors: [{ manufacturer: 'Intel', productName: 'E7', speed: 2400 }, { speed: 1 }],
      },
    }),
  ],
  [
    'a serial number changed through v1alpha1 keeps the UUID',
    (spec) => ({ ...spec, system: { ...asObject(spec['system']), serialNumber: '2' } }),
    withHardware({ system: { uuid: 'u', manufacturer: 'Dell Inc.', serialNumber: '2' } }),
  ],
  [
    'a field deleted through v1alpha1 is deleted',
    ({ hostname: _gone, ...spec }) => spec,
    Object.fromEntries(Object.entries(asObject(stored['spec'])).filter(([name]) => name !== 'hostname')),
  ],
];
describe('an edit through v1alpha1 wins for its field only', () => {
  for (const [name, edit, want] of edits) {
    it(name, () => {
      const old = serverV1alpha1.convert?.fromStorage(stored) ?? {};
      const back = serverV1alpha1.convert?.toStorage({ ...old, spec: edit(asObject(old['spec'])) }) ?? {};
      assert.deepEqual(back['spec'], want);
      assert.deepEqual(back['metadata'], { name: 's' });
    });
  }

  const entries = [
    { system: { manufacturer: 'Dell Inc.' }, memory: { totalSize: '8 GB' } },
    { memory: { totalSize: '16 GB' } },
    { system: { manufacturer: 'HP', uuid: 'u' }, compute: { processors: [{ manufacturer: 'AMD', speed: 1 }] } },
  ];
  const editClass = (edit: (qualifiers: JsonObject) => JsonObject): unknown => {
    const old =
      serverClassV1alpha1.convert?.fromStorage({
        apiVersion: 'metal.sidero.dev/v1alpha2',
        kind: 'ServerClass',
        metadata: { name: 'c' },
        spec: { qualifiers: { hardware: entries }, strategicPatches: ['a: 1'] },
      }) ?? {};
    const spec = asObject(old['spec']);
    const edited = { ...old, spec: { ...spec, qualifiers: edit(asObject(spec['qualifiers'])) } };
    return asObject(asObject(serverClassV1alpha1.convert?.toStorage(edited)?.['spec'])['qualifiers'])['hardware'];
  };
  it('a manufacturer changed in one qualifier keeps the memory beside it and the entries that v1alpha1 cannot show', () => {
    assert.deepEqual(
      editClass((q) => ({ ...q, systemInformation: [{ manufacturer: 'Dell' }, { manufacturer: 'HP' }] })),
      [{ ...entries[0], system: { manufacturer: 'Dell' } }, entries[1], entries[2]],
    );
  });
  it('a qualifier taken out takes its whole entry with it', () => {
    assert.deepEqual(
      editClass((q) => ({ ...q, systemInformation: [{ manufacturer: 'HP' }] })),
      [entries[1], entries[2]],
    );
  });
  it('a qualifier put in stands at the end', () => {
    assert.deepEqual(
      editClass((q) => ({ ...q, cpu: [{ manufacturer: 'AMD' }, { version: 'Ryzen' }] })),
      [...entries, { compute: { processors: [{ productName: 'Ryzen' }] } }],
    );
  });
});

describe('the kept object', () => {
  it('that is no JSON fails the conversion', () => {
    const broken = { ...stored, metadata: { name: 's', annotations: { [CONVERSION_DATA]: '{' } } };
    assert.throws(() => serverV1alpha1.convert?.toStorage(broken), /is not JSON/);
  });
  it('is consumed by the conversion back, other annotations stay', () => {
    const annotated = { ...stored, metadata: { name: 's', annotations: { a: 'b' } } };
    const old = serverV1alpha1.convert?.fromStorage(annotated) ?? {};
    assert.deepEqual(serverV1alpha1.convert?.toStorage(old), annotated);
  });
});

function withHardware(change: JsonObject): JsonObject {
  const spec = asObject(stored['spec']);
  return { ...spec, hardware: { ...asObject(spec['hardware']), ...change } };
}

/** Without undefined members, and prototypes that fast-check leaves. */
function plain(object: JsonObject): unknown {
  return JSON.parse(JSON.stringify(object));
}
