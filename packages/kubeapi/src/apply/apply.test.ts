import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isJsonObject, type Json, type JsonObject, type Schema } from '@bloomery/model';
import fc from 'fast-check';
import { processObject } from '../schema/process-object.ts';
import { conflictText } from './apply-conflict.ts';
import { fieldsV1Text, parseFieldsV1 } from './field-set.ts';
import { type FieldVersions, singleVersion } from './field-versions.ts';
import { ignoredMembers } from './ownership.ts';
import { type ApplyResult, serverSideApply } from './server-side-apply.ts';
import { trackUpdate } from './track-update.ts';

const G = 'g.test/v1';
const schema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer' },
        note: { type: 'string' },
        mode: { type: 'string', default: 'slow' },
        strings: { type: 'object', additionalProperties: { type: 'string' } },
        plain: { type: 'array', items: { type: 'string' } },
        tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        atom: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: { type: 'string' } } },
        routes: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['net', 'metric'],
          items: {
            type: 'object',
            properties: { net: { type: 'string' }, metric: { type: 'integer', default: 100 }, via: { type: 'string' } },
          },
        },
      },
    },
    status: { type: 'object', properties: { phase: { type: 'string' } } },
  },
};

/** An API with one object: enough to hold conversations about ownership. */
class OneObject {
  live: JsonObject | undefined;

  apply(
    manager: string,
    spec: JsonObject,
    options: { force?: boolean; status?: JsonObject; metadata?: JsonObject } = {},
  ): ApplyResult {
    const subresource = options.status === undefined ? '' : 'status';
    const body = options.status === undefined ? { spec } : { status: options.status };
    const result = serverSideApply({
      live: this.live,
      applied: { apiVersion: G, kind: 'Thing', metadata: { name: 't', ...options.metadata }, ...body },
      manager,
      force: options.force ?? false,
      apiVersion: G,
      subresource,
      time: '2026-01-01T00:00:00Z',
      versions: singleVersion(schema),
      ignored: ignoredMembers(subresource, true),
    });
    if (result.ok) this.live = processObject(schema, result.object).object;
    return result;
  }

  update(manager: string, change: (object: JsonObject) => JsonObject, subresource = ''): void {
    const base = this.live ?? { apiVersion: G, kind: 'Thing', metadata: { name: 't' } };
    this.live = trackUpdate({
      live: this.live,
      updated: processObject(schema, change(base)).object,
      manager,
      apiVersion: G,
      subresource,
      time: '2026-01-01T00:00:00Z',
      versions: singleVersion(schema),
      ignored: ignoredMembers(subresource, true),
    });
  }

  get spec(): Json | undefined {
    return this.live?.['spec'];
  }

  get metadata(): JsonObject {
    const metadata = this.live?.['metadata'];
    return isJsonObject(metadata) ? metadata : {};
  }

  /** Owner and operation, and what they own. */
  get owners(): JsonObject {
    const { managedFields } = this.metadata;
    const entries = Array.isArray(managedFields) ? managedFields : [];
    return Object.fromEntries(
      entries.map((e: JsonObject) => [
        `${e['manager']} ${e['operation']}${e['subresource'] ? ` ${e['subresource']}` : ''}`,
        e['fieldsV1'],
      ]),
    );
  }
}

const refusalOf = (result: ApplyResult): string =>
  result.ok ? 'ok' : result.refused === 'conflict' ? conflictText(result.conflicts) : result.message;

describe('server-side apply', () => {
  it('owns what it applies, not the defaults', () => {
    const o = new OneObject();
    o.apply('a', { size: 1, strings: { p: '1' } });
    assert.deepEqual(o.spec, { size: 1, strings: { p: '1' }, mode: 'slow' });
    assert.deepEqual(o.owners, { 'a Apply': { 'f:spec': { 'f:size': {}, 'f:strings': { 'f:p': {} } } } });
  });

  it('takes away what is not applied any more, unless others own it', () => {
    const o = new OneObject();
    o.apply('a', {
      size: 1,
      note: 'x',
      strings: { p: '1', q: '2' },
      tags: ['s', 't'],
      routes: [{ net: 'n', via: 'v' }],
    });
    o.apply('b', { note: 'x', tags: ['t'] });
    o.apply('a', { size: 1, strings: { q: '2' } });
    assert.deepEqual(o.spec, { size: 1, note: 'x', strings: { q: '2' }, tags: ['t'], mode: 'slow' });
    o.apply('b', {});
    assert.deepEqual(o.spec, { size: 1, strings: { q: '2' }, mode: 'slow' });
  });

  it('refuses to change what others own, and takes it over by force', () => {
    const o = new OneObject();
    o.apply('a', { size: 1, plain: ['p'], routes: [{ net: 'n', via: 'v' }] });
    o.update('m', (t) => ({ ...t, spec: { ...(t['spec'] as JsonObject), note: 'u' } }));
    const change = { size: 2, plain: ['q'], note: 'w', routes: [{ net: 'n', via: 'w' }] };
    assert.equal(
      refusalOf(o.apply('b', change)),
      'Apply failed with 4 conflicts: conflicts with "a":\n- .spec.plain\n- .spec.size\n- .spec.routes[metric=100,net="n"].via\nconflicts with "m" using g.test/v1:\n- .spec.note',
    );
    assert.equal(refusalOf(o.apply('b', change, { force: true })), 'ok');
    assert.deepEqual(o.owners, {
      'a Apply': { 'f:spec': { 'f:routes': { 'k:{"metric":100,"net":"n"}': { '.': {}, 'f:net': {} } } } },
      'b Apply': {
        'f:spec': {
          'f:note': {},
          'f:plain': {},
          'f:routes': { 'k:{"metric":100,"net":"n"}': { '.': {}, 'f:net': {}, 'f:via': {} } },
          'f:size': {},
        },
      },
    });
  });

  it('shares fields that have the same value', () => {
    const o = new OneObject();
    o.apply('a', { size: 1, atom: { a: '1' } });
    assert.equal(refusalOf(o.apply('b', { size: 1, atom: { a: '1' } })), 'ok');
    assert.equal(refusalOf(o.apply('b', { size: 2 })), 'Apply failed with 1 conflict: conflict with "a": .spec.size');
  });

  it('leaves metadata that nobody owns alone when it takes labels away', () => {
    const o = new OneObject();
    o.apply('a', { size: 1 }, { metadata: { labels: { l: '1' } } });
    o.live = { ...o.live, metadata: { ...o.metadata, annotations: { x: 'unowned' } } };
    o.apply('a', { size: 1 });
    assert.deepEqual(o.metadata['annotations'], { x: 'unowned' });
    assert.equal(o.metadata['labels'], undefined);
    assert.equal(o.metadata['name'], 't');
  });

  it('keeps the order of live items and puts new ones behind', () => {
    const o = new OneObject();
    o.apply('a', { tags: ['x', 'y'] });
    o.apply('b', { tags: ['y', 'z', 'x'] });
    assert.deepEqual((o.spec as JsonObject)['tags'], ['y', 'z', 'x']);
    o.apply('c', { tags: ['n'] });
    assert.deepEqual((o.spec as JsonObject)['tags'], ['y', 'z', 'x', 'n']);
  });

  it('treats an object without entries as owned by whoever was before', () => {
    const o = new OneObject();
    o.live = { apiVersion: G, kind: 'Thing', metadata: { name: 't', uid: 'u' }, spec: { size: 1 } };
    assert.equal(
      refusalOf(o.apply('a', { size: 2 })),
      'Apply failed with 1 conflict: conflict with "before-first-apply" using g.test/v1: .spec.size',
    );
  });

  it('owns only status at /status', () => {
    const o = new OneObject();
    o.apply('a', { size: 1 });
    o.apply('ctl', {}, { status: { phase: 'p' } });
    assert.deepEqual(o.owners, {
      'a Apply': { 'f:spec': { 'f:size': {} } },
      'ctl Apply status': { 'f:status': { 'f:phase': {} } },
    });
  });

  it('refuses what it cannot merge, and says where', () => {
    const o = new OneObject();
    const cases: [JsonObject, string][] = [
      [{ tags: ['a', 'a'] }, '.spec.tags: duplicate entries for key [="a"]'],
      [
        { routes: [{ net: 'n' }, { net: 'n', metric: 100 }] },
        '.spec.routes: duplicate entries for key [metric=100,net="n"]',
      ],
      [{ size: '1' }, '.spec.size: expected numeric (int or float), got string'],
      [{ zz: 1 }, '.spec.zz: field not declared in schema'],
    ];
    for (const [spec, text] of cases) {
      assert.equal(
        refusalOf(o.apply('a', spec)),
        `failed to create typed patch object (t; g.test/v1, Kind=Thing): ${text}`,
      );
    }
  });

  it('changes nothing when applied again', () => {
    const o = new OneObject();
    const spec = { size: 1, tags: ['x'], free: { x: { y: [1, { z: null }] } }, routes: [{ net: 'n' }] };
    o.apply('a', spec);
    const before = JSON.stringify(o.live);
    o.apply('a', spec);
    assert.equal(JSON.stringify(o.live), before);
  });
});

describe('server-side apply over two versions', () => {
  const two: Schema = {
    type: 'object',
    properties: { body: { type: 'object', properties: { count: { type: 'integer' }, note: { type: 'string' } } } },
  };
  const one: Schema = {
    type: 'object',
    properties: { spec: { type: 'object', properties: { size: { type: 'integer' }, note: { type: 'string' } } } },
  };
  const [V1, V2] = ['g.test/v1', 'g.test/v2'];
  /** v1 `spec.size` is v2 `body.count`. */
  const versions: FieldVersions = {
    schema: (apiVersion) => (apiVersion === V1 ? one : apiVersion === V2 ? two : undefined),
    convert: (object, apiVersion) => {
      const from = object['apiVersion'] ?? apiVersion;
      if (from === apiVersion) return object;
      const { spec, body, ...rest } = object;
      const source = (spec ?? body) as JsonObject | undefined;
      const amount = source?.['size'] ?? source?.['count'];
      const note = source?.['note'] === undefined ? {} : { note: source['note'] };
      const named = amount === undefined ? {} : apiVersion === V1 ? { size: amount } : { count: amount };
      const inner = source === undefined ? {} : { [apiVersion === V1 ? 'spec' : 'body']: { ...named, ...note } };
      return { ...rest, apiVersion, ...inner };
    },
  };
  const apply = (live: JsonObject | undefined, apiVersion: string, manager: string, fields: JsonObject): ApplyResult =>
    serverSideApply({
      live: live === undefined ? undefined : versions.convert(live, apiVersion),
      applied: { apiVersion, kind: 'Thing', metadata: { name: 't' }, ...fields },
      manager,
      force: false,
      apiVersion,
      subresource: '',
      time: '2026-01-01T00:00:00Z',
      versions,
      ignored: () => false,
    });
  const must = (result: ApplyResult): JsonObject => {
    assert.ok(result.ok, refusalOf(result));
    return result.object;
  };

  it('a manager that moves to another version keeps what it still applies', () => {
    const first = must(apply(undefined, V1, 'a', { spec: { size: 1, note: 'x' } }));
    const second = must(apply(first, V2, 'a', { body: { count: 1 } }));
    assert.deepEqual(second['body'], { count: 1 });
  });

  it('conflicts and shared ownership are seen through the versions', () => {
    const first = must(apply(undefined, V1, 'a', { spec: { size: 1, note: 'x' } }));
    assert.equal(
      refusalOf(apply(first, V2, 'b', { body: { count: 2 } })),
      'Apply failed with 1 conflict: conflict with "a": .spec.size',
    );
    const shared = must(apply(first, V2, 'b', { body: { count: 1 } }));
    const left = must(apply(shared, V1, 'a', { spec: { note: 'x' } }));
    assert.deepEqual(left['spec'], { size: 1, note: 'x' });
  });
});

describe('tracking of updates', () => {
  it('gives changed fields to the writer and takes them from all others', () => {
    const o = new OneObject();
    o.update('c', (t) => ({ ...t, spec: { size: 1, strings: { a: '1', b: '2' }, plain: ['p'] } }));
    o.update('m', (t) => ({ ...t, spec: { size: 1, strings: { b: '2', c: '3' }, plain: ['z'], mode: 'slow' } }));
    assert.deepEqual(o.owners, {
      'c Update': { 'f:spec': { '.': {}, 'f:mode': {}, 'f:size': {}, 'f:strings': { '.': {}, 'f:b': {} } } },
      'm Update': { 'f:spec': { 'f:plain': {}, 'f:strings': { 'f:c': {} } } },
    });
  });

  it('forgets everything when asked, and then tracks nothing until the next apply', () => {
    const o = new OneObject();
    o.update('c', (t) => ({ ...t, spec: { size: 1 } }));
    o.update('m', (t) => ({ ...t, metadata: { name: 't', managedFields: [{}] } }));
    assert.deepEqual(o.owners, {});
    o.update('m', (t) => ({ ...t, spec: { size: 2 } }));
    assert.deepEqual(o.owners, {});
  });

  it('keeps at most ten Update entries', () => {
    const o = new OneObject();
    for (let i = 0; i < 14; i++) {
      o.update(`m${i}`, (t) => ({
        ...t,
        spec: {
          ...(t['spec'] as JsonObject | undefined),
          strings: {
            ...((t['spec'] as JsonObject | undefined)?.['strings'] as JsonObject | undefined),
            [`k${i}`]: '1',
          },
        },
      }));
    }
    assert.equal(Object.keys(o.owners).length, 10);
    assert.ok(Object.hasOwn(o.owners, 'ancient-changes Update'));
  });
});

describe('field sets', () => {
  it('FieldsV1 survives a round trip', () => {
    const text = {
      'f:spec': { '.': {}, 'f:ports': { 'k:{"name":"h"}': { '.': {}, 'f:name': {} } }, 'f:tags': { 'v:"x"': {} } },
    };
    const set = parseFieldsV1(text);
    assert.ok(set);
    assert.deepEqual(JSON.parse(fieldsV1Text(set)), text);
  });

  it('malformed sets are refused, never thrown', () => {
    for (const bad of [[], 1, { x: {} }, { 'k:': {} }, { 'f:a': 1 }])
      assert.equal(parseFieldsV1(bad as Json), undefined);
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseFieldsV1(value as Json)));
  });

  it('applying is total over bodies, and what one manager applies and drops is gone', () => {
    // An empty list with items of its own is owned by nobody, upstream as well: it stays.
    const spec = fc.record(
      {
        size: fc.nat(3),
        tags: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
        strings: fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2')),
        free: fc.dictionary(fc.constantFrom('x', 'y'), fc.jsonValue()),
        routes: fc.uniqueArray(fc.record({ net: fc.constantFrom('n', 'o'), via: fc.constantFrom('1', '2') }), {
          selector: (r) => r.net,
          minLength: 1,
        }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(spec, spec, (first, second) => {
        const o = new OneObject();
        o.apply('keeper', { mode: 'fast' });
        const before = JSON.stringify(o.spec);
        o.apply('a', first as JsonObject);
        o.apply('a', second as JsonObject);
        o.apply('a', {});
        assert.equal(JSON.stringify(o.spec), before);
      }),
    );
  });
});
