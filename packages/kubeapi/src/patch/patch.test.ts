import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Json, type JsonObject, parseJson, type Schema } from '@bloomery/model';
import fc from 'fast-check';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import type { PatchResult } from './patch-result.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const REJECTED = 'the server rejected our request due to an error in our request';

function outcome(result: PatchResult): Json {
  return result.ok ? result.object : { code: result.refusal.code, message: result.refusal.message };
}

describe('JSON patch', () => {
  const doc = { spec: { size: 1, plain: ['p', 'q'], strings: { a: '1', b: '2' }, 'a/b~c': 1 } };
  const spec = (fields: JsonObject): JsonObject => ({ spec: { ...doc.spec, ...fields } });
  const cases: [name: string, patch: Json, want: Json][] = [
    ['a passing test changes nothing', [{ op: 'test', path: '/spec/size', value: 1 }], doc],
    ['a failing test refuses', [{ op: 'test', path: '/spec/size', value: 9 }], { code: 422, message: REJECTED }],
    ['an absent path tests as null', [{ op: 'test', path: '/spec/zz', value: null }], doc],
    ['add appends with -', [{ op: 'add', path: '/spec/plain/-', value: 'r' }], spec({ plain: ['p', 'q', 'r'] })],
    [
      'add inserts before an index',
      [{ op: 'add', path: '/spec/plain/0', value: 'o' }],
      spec({ plain: ['o', 'p', 'q'] }),
    ],
    [
      'add beyond the end refuses',
      [{ op: 'add', path: '/spec/plain/3', value: 'o' }],
      { code: 422, message: REJECTED },
    ],
    [
      'add below an absent parent refuses',
      [{ op: 'add', path: '/spec/zz/y', value: 1 }],
      { code: 422, message: REJECTED },
    ],
    ['replace of an absent member adds it', [{ op: 'replace', path: '/spec/zz', value: 1 }], spec({ zz: 1 })],
    [
      'replace of an absent item refuses',
      [{ op: 'replace', path: '/spec/plain/2', value: 1 }],
      { code: 422, message: REJECTED },
    ],
    ['remove of an absent member refuses', [{ op: 'remove', path: '/spec/zz' }], { code: 422, message: REJECTED }],
    ['negative indices count from the end', [{ op: 'remove', path: '/spec/plain/-1' }], spec({ plain: ['p'] })],
    [
      'copy and move',
      [
        { op: 'copy', from: '/spec/size', path: '/spec/n' },
        { op: 'move', from: '/spec/n', path: '/spec/m' },
      ],
      spec({ m: 1 }),
    ],
    ['escaped names are found', [{ op: 'replace', path: '/spec/a~1b~0c', value: 2 }], spec({ 'a/b~c': 2 })],
    [
      'one misfit undoes all',
      [
        { op: 'replace', path: '/spec/size', value: 2 },
        { op: 'nope', path: '/x' },
      ],
      { code: 422, message: REJECTED },
    ],
    [
      'an object is no patch',
      { op: 'test' },
      {
        code: 400,
        message: 'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
      },
    ],
    [
      'a number is no operation',
      [1],
      {
        code: 400,
        message: 'error decoding patch: json: cannot unmarshal number into Go value of type jsonpatch.Operation',
      },
    ],
  ];
  for (const [name, patch, want] of cases) it(name, () => assert.deepEqual(outcome(applyJsonPatch(doc, patch)), want));

  it('copies of copies are stopped before they fill the memory', () => {
    const patch = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
    const result = applyJsonPatch({ a: ['0123456789'] }, patch);
    assert.equal(result.ok, false);
    assert.equal(!result.ok && result.refusal.code, 413);
  });

  it('many operations on a large object or list cost one copy of it', () => {
    const members = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, '']));
    const list = Array.from({ length: 300_000 }, () => 0);
    const patch: Json[] = [{ op: 'replace', path: '', value: { members, list } }];
    for (let i = 0; i < 4_000; i++) {
      patch.push({ op: 'add', path: `/members/k${i}`, value: 'x' }, { op: 'add', path: '/list/-', value: 1 });
    }
    // With a copy for each operation this takes minutes.
    const result = applyJsonPatch({}, patch);
    assert.ok(result.ok);
    assert.equal(Array.isArray(result.object['list']) && result.object['list'].length, 304_000);
    assert.deepEqual(members['k0'], '');
    assert.equal(list.length, 300_000);
  });

  it('is stopped when it pushes the items of a large list along again and again', () => {
    const patch = Array.from({ length: 10_000 }, () => ({ op: 'add', path: '/list/0', value: 1 }));
    const result = applyJsonPatch({ list: Array.from({ length: 100_000 }, () => 0) }, patch);
    assert.equal(!result.ok && result.refusal.code, 413);
  });

  it('a copy and what it was copied from change apart, at any depth', () => {
    const patch = [
      { op: 'add', path: '/a/b/c', value: 1 },
      { op: 'copy', from: '/a', path: '/z' },
      { op: 'add', path: '/a/b/d', value: 2 },
      { op: 'add', path: '/z/b/e/-', value: 3 },
      { op: 'move', from: '/z/b', path: '/y' },
      { op: 'remove', path: '/a/b/e/0' },
    ];
    assert.deepEqual(outcome(applyJsonPatch({ a: { b: { e: [0] } } }, patch)), {
      a: { b: { e: [], c: 1, d: 2 } },
      z: {},
      y: { e: [0, 3], c: 1 },
    });
  });

  it('refuses to nest deeper than a body may be', () => {
    const nest = (times: number) =>
      Array.from({ length: times }, () => [
        { op: 'move', from: '/x', path: '/y' },
        { op: 'add', path: '/x', value: {} },
        { op: 'move', from: '/y', path: '/x/y' },
      ]).flat();
    assert.equal(applyJsonPatch({ x: 1 }, nest(190)).ok, true);
    for (const times of [201, 3_000]) {
      const result = applyJsonPatch({ x: 1 }, nest(times));
      assert.equal(!result.ok && result.refusal.code, 422);
    }
  });

  it('refuses more than 10000 operations', () => {
    const patch = Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/a', value: null }));
    assert.equal(applyJsonPatch({}, patch).ok, false);
  });

  it('sets a member called __proto__ without touching prototypes', () => {
    const result = applyJsonPatch({}, parseJson('[{"op":"add","path":"/__proto__","value":{"polluted":1}}]'));
    assert.equal(JSON.stringify(outcome(result)), '{"__proto__":{"polluted":1}}');
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  });

  it('is total and leaves its input alone', () => {
    const token = fc.constantFrom('a', 'b', '0', '-', '-1', '', '~0', '__proto__', '99999999999');
    const path = fc.oneof(
      fc.array(token, { maxLength: 4 }).map((t) => t.map((x) => `/${x}`).join('')),
      fc.string(),
    );
    const op = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
      path,
      from: path,
      value: fc.jsonValue(),
    });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue()),
        fc.array(fc.oneof(op, fc.jsonValue()), { maxLength: 6 }),
        (object, patch) => {
          const before = JSON.stringify(object);
          applyJsonPatch(object as JsonObject, patch as Json);
          assert.equal(JSON.stringify(object), before);
        },
      ),
    );
  });
});

describe('JSON merge patch', () => {
  it('merges members, removes nulls and replaces lists', () => {
    const doc = { note: 'x', strings: { a: '1', b: '2' }, plain: ['p', 'q'] };
    const patch = { note: null, strings: { a: null, c: '3' }, plain: ['z'], fresh: { x: null, y: 1 } };
    assert.deepEqual(outcome(applyMergePatch(doc, patch)), {
      strings: { b: '2', c: '3' },
      plain: ['z'],
      fresh: { y: 1 },
    });
  });

  it('refuses what is not an object', () => {
    const message = 'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}';
    assert.deepEqual(outcome(applyMergePatch({}, [1])), { code: 400, message });
  });

  it('applied twice gives the same as once', () => {
    const object = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.jsonValue());
    fc.assert(
      fc.property(object, object, (doc, patch) => {
        const once = applyMergePatch(doc as JsonObject, patch as JsonObject);
        assert.ok(once.ok);
        assert.deepEqual(applyMergePatch(once.object, patch as JsonObject), once);
      }),
    );
  });
});

describe('strategic merge patch', () => {
  const schema: Schema = {
    type: 'object',
    properties: {
      data: { type: 'object', additionalProperties: { type: 'string' } },
      plain: { type: 'array', items: { type: 'string' } },
      ports: {
        type: 'array',
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'name',
        items: { type: 'object', properties: { name: { type: 'string' }, port: { type: 'integer' } } },
      },
    },
  };
  const doc: JsonObject = {
    metadata: { name: 'c', finalizers: ['x.io/a'], ownerReferences: [{ uid: '1', name: 'o' }] },
    data: { a: '1', b: '2' },
    plain: ['p'],
    ports: [
      { name: 'h', port: 80 },
      { name: 's', port: 443 },
    ],
  };
  const meta = doc['metadata'] as JsonObject;
  const cases: [name: string, patch: JsonObject, want: JsonObject][] = [
    ['objects merge and null removes', { data: { a: null, c: '3' } }, { data: { b: '2', c: '3' } }],
    ['a list without a strategy is replaced', { plain: ['q'] }, { plain: ['q'] }],
    [
      'finalizers merge as a set, new ones first',
      { metadata: { finalizers: ['x.io/b'] } },
      { metadata: { ...meta, finalizers: ['x.io/b', 'x.io/a'] } },
    ],
    [
      'items leave a plain list by directive',
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['x.io/a'] } },
      { metadata: { ...meta, finalizers: [] } },
    ],
    [
      'owner references merge by uid',
      { metadata: { ownerReferences: [{ uid: '1', kind: 'K' }] } },
      { metadata: { ...meta, ownerReferences: [{ uid: '1', name: 'o', kind: 'K' }] } },
    ],
    [
      'list items merge by key',
      { ports: [{ name: 's', port: 1 }] },
      {
        ports: [
          { name: 'h', port: 80 },
          { name: 's', port: 1 },
        ],
      },
    ],
    [
      'list items are deleted by key',
      { ports: [{ name: 'h', $patch: 'delete' }] },
      { ports: [{ name: 's', port: 443 }] },
    ],
    ['a list is replaced by directive', { ports: [{ name: 'x' }, { $patch: 'replace' }] }, { ports: [{ name: 'x' }] }],
    ['an object is replaced by directive', { data: { $patch: 'replace', z: '1' } }, { data: { z: '1' } }],
    ['an object is emptied by directive', { data: { $patch: 'delete' } }, { data: {} }],
    [
      'the order of items can be set',
      { '$setElementOrder/ports': [{ name: 's' }, { name: 'h' }] },
      {
        ports: [
          { name: 's', port: 443 },
          { name: 'h', port: 80 },
        ],
      },
    ],
    [
      'the order leads over the original',
      { '$setElementOrder/ports': [{ name: 's' }, { name: 'n' }, { name: 'h' }], ports: [{ name: 'n', port: 1 }] },
      {
        ports: [
          { name: 's', port: 443 },
          { name: 'n', port: 1 },
          { name: 'h', port: 80 },
        ],
      },
    ],
    ['only retained keys stay', { data: { $retainKeys: ['c'], c: '3' } }, { data: { c: '3' } }],
  ];
  for (const [name, patch, want] of cases) {
    it(name, () => assert.deepEqual(outcome(applyStrategicMergePatch(schema, doc, patch)), { ...doc, ...want }));
  }

  it('long lists are merged, shortened and ordered without searching them for each item', () => {
    const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `n${from + i}`);
    const item = (name: string, port: number) => ({ name, port });
    const ports = names(0, 40_000).map((name) => item(name, 1));
    const finalizers = names(0, 60_000);
    const patch = {
      metadata: {
        '$deleteFromPrimitiveList/finalizers': names(1, 60_000).reverse(),
        '$setElementOrder/finalizers': names(0, 60_000),
      },
      ports: names(20_000, 60_000).map((name) => item(name, 2)),
      '$setElementOrder/ports': names(0, 60_000)
        .reverse()
        .map((name) => ({ name })),
    };
    // Searching takes minutes.
    const result = applyStrategicMergePatch(schema, { metadata: { finalizers }, ports }, patch);
    const want = { metadata: { finalizers: ['n0'] }, ports: [...ports.slice(0, 20_000), ...patch.ports].reverse() };
    assert.ok(result.ok);
    assert.equal(JSON.stringify(result.object), JSON.stringify(want));
  });

  it('refuses an item without its merge key and an unknown directive', () => {
    assert.deepEqual(outcome(applyStrategicMergePatch(schema, doc, { ports: [{ port: 1 }] })), {
      code: 422,
      message: REJECTED,
    });
    assert.deepEqual(outcome(applyStrategicMergePatch(schema, doc, { data: { $patch: 'x' } })), {
      code: 422,
      message: REJECTED,
    });
  });

  it('is total', () => {
    const keys = fc.constantFrom(
      'a',
      'ports',
      'data',
      'plain',
      '$patch',
      '$retainKeys',
      '$setElementOrder/ports',
      '$deleteFromPrimitiveList/plain',
    );
    fc.assert(
      fc.property(
        fc.dictionary(keys, fc.jsonValue()),
        (patch) => void applyStrategicMergePatch(schema, doc, patch as Json),
      ),
    );
  });
});
