import type { Json, JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, configMap, content, fields, secret, thing } from '../objects.ts';
import type { Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const text = (b: JsonObject): string => String(b['message']).replace(/, got .*/, '');
const T = (s: Session): string => s.api(THING, 'things/t');
const whole = { look: fields };
const withMeta = {
  look: (b: JsonObject): Json => ({ ...(content(b) as JsonObject), managedFields: at(b, 'metadata', 'managedFields') }),
};

/** Server-side apply and the ownership of fields. */
export const apply = area('apply', {
  'an apply to what is not there creates': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, tags: ['a'], ports: [{ name: 'h', port: 1 }] }));
    await s.get(T(s));
    await s.apply(s.core('configmaps/a'), 'one', configMap('a', { k: 'v' }, { labels: { a: 'b' } }));
    await s.apply(s.core('secrets/a'), 'one', secret('a', { k: 'v' }));
  },
  'an apply needs a manager, a kind and a matching name': async (s) => {
    const type = 'application/apply-patch+yaml';
    await s.patch(T(s), thing('t'), { type });
    await s.patch(`${T(s)}?fieldManager=`, thing('t'), { type });
    await s.apply(T(s), 'm'.repeat(129), thing('t'));
    await s.apply(T(s), 'one', { metadata: { name: 't' }, spec: { size: 1 } });
    await s.apply(T(s), 'one', { apiVersion: THING, metadata: { name: 't' }, spec: { size: 1 } });
    await s.apply(T(s), 'one', { apiVersion: THING, kind: 'Other', metadata: { name: 't' }, spec: { size: 1 } });
    await s.apply(T(s), 'one', { ...thing('t'), apiVersion: 'vec.bloomery.test/v9' });
    await s.apply(T(s), 'one', thing('other'));
    await s.apply(T(s), 'one', { apiVersion: THING, kind: 'Thing', spec: { size: 1 } }, { look: content });
    await s.apply(s.core('configmaps/a'), 'one', { kind: 'ConfigMap', metadata: { name: 'a' } });
    await s.apply(s.core('configmaps/a'), 'one', { apiVersion: 'v1', metadata: { name: 'a' } });
    await s.apply(s.core('configmaps/a'), 'one', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } });
    await s.apply(s.core('configmaps/a'), 'one', configMap('b'));
    await s.apply(s.core('configmaps/a'), 'one', configMap('a', {}, { namespace: 'other' }));
  },
  'force is for apply only': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.patch(`${s.core('configmaps/a')}?force=true`, { data: { a: '2' } });
    await s.patch(`${s.core('configmaps/a')}?force=true`, [], { type: 'application/json-patch+json' });
  },
  'managedFields may not be applied': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1 }, { managedFields: [] }));
    await s.apply(T(s), 'one', thing('t', { size: 1 }, { managedFields: [{ manager: 'x' }] }));
    await s.apply(s.core('configmaps/a'), 'one', configMap('a', {}, { managedFields: [] }));
  },
  'versions and uids of an apply are checked': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1 }, { resourceVersion: '1' }));
    await s.apply(T(s), 'one', thing('t'), { look: content });
    await s.apply(T(s), 'one', thing('t', { size: 2 }, { resourceVersion: '1' }));
    await s.apply(T(s), 'one', thing('t', { size: 2 }, { uid: '11111111-2222-3333-4444-555555555555' }));
  },
  'a second manager of another value conflicts, of the same value shares': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, note: 'same' }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 2, note: 'same' }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 1, note: 'same' }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 3, note: 'same' }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 3, note: 'same' }), { ...whole, force: true });
    await s.apply(T(s), 'one', thing('t', { note: 'same' }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 3 }), whole);
  },
  'several conflicts are listed by manager': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, note: 'x', port: 1 }), whole);
    await s.patch(`${T(s)}?fieldManager=other`, { spec: { mode: 'fast', plain: ['p'] } }, whole);
    await s.apply(T(s), 'two', thing('t', { size: 2, note: 'y', mode: 'slow', plain: ['q'] }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 1, mode: 'slow' }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 2, note: 'y', mode: 'slow', plain: ['q'] }), {
      ...whole,
      force: true,
    });
  },
  'a field that is applied no longer goes': async (s) => {
    await s.apply(
      T(s),
      'one',
      thing('t', { size: 1, note: 'x', strings: { a: '1', b: '2' }, tags: ['p', 'q'] }),
      whole,
    );
    await s.apply(T(s), 'one', thing('t', { size: 1, strings: { a: '1' }, tags: ['q'] }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1 }), whole);
    await s.apply(T(s), 'one', thing('t', {}), whole);
    await s.apply(T(s), 'one', { apiVersion: THING, kind: 'Thing', metadata: { name: 't' } }, whole);
  },
  'an empty map takes the place of what was applied': {
    differs: 'what is given up leaves an empty map; kube-apiserver makes it null and then refuses that',
    run: async (s) => {
      await s.apply(T(s), 'one', thing('t', { size: 1, strings: { a: '1' } }), whole);
      await s.apply(T(s), 'one', thing('t', { size: 1, strings: {} }), whole);
    },
  },
  'conflicts name whole fields before parts of others': async (s) => {
    await s.apply(
      T(s),
      'one',
      thing('t', { size: 1, half: { a: 1 }, ports: [{ name: 'a', port: 1 }], note: 'x' }),
      whole,
    );
    await s.apply(
      T(s),
      'two',
      thing('t', { size: 2, half: { a: 2 }, ports: [{ name: 'a', port: 2 }], note: 'y' }),
      whole,
    );
  },
  'a defaulted field that is applied no longer has its default again': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, mode: 'fast', flag: false, maybeDefault: 'z' }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1 }), whole);
  },
  'items of a list map have owners of their own': async (s) => {
    await s.apply(
      T(s),
      'one',
      thing('t', {
        size: 1,
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 2 },
        ],
      }),
      whole,
    );
    await s.apply(
      T(s),
      'two',
      thing('t', {
        size: 1,
        ports: [
          { name: 'c', port: 3 },
          { name: 'a', port: 1 },
        ],
      }),
      whole,
    );
    await s.apply(T(s), 'two', thing('t', { size: 1, ports: [{ name: 'b', port: 9 }] }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1, ports: [{ name: 'b', port: 2, proto: 'udp' }] }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 1, ports: [{ name: 'b' }] }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1 }), whole);
  },
  'items with two keys, one of them defaulted': async (s) => {
    await s.apply(
      T(s),
      'one',
      thing('t', {
        size: 1,
        routes: [
          { net: 'n', via: 'x' },
          { net: 'n', metric: 5, via: 'y' },
        ],
      }),
      whole,
    );
    await s.apply(T(s), 'two', thing('t', { size: 1, routes: [{ net: 'n', metric: 100, via: 'z' }] }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1, routes: [{ net: 'n', metric: 5 }] }), whole);
  },
  'the order of a list is that of the applier': async (s) => {
    const ports = (...names: string[]) => thing('t', { size: 1, ports: names.map((name) => ({ name })) });
    const order = {
      look: (b: JsonObject) => (at(b, 'spec', 'ports') as JsonObject[] | null)?.map((p) => p['name'] ?? null) ?? b,
    };
    await s.apply(T(s), 'one', ports('a', 'b', 'c'), order);
    await s.apply(T(s), 'one', ports('c', 'a', 'b'), order);
    await s.apply(T(s), 'two', ports('d', 'b'), order);
    await s.apply(T(s), 'two', ports('b', 'd', 'e'), order);
    await s.apply(T(s), 'one', ports('a', 'z', 'c'), order);
    const tags = (...list: string[]) => thing('t', { size: 1, tags: list });
    const set = { look: (b: JsonObject) => at(b, 'spec', 'tags') ?? b };
    await s.apply(T(s), 'three', tags('x', 'y'), set);
    await s.apply(T(s), 'four', tags('z', 'y'), set);
    await s.apply(T(s), 'three', tags('y', 'x'), set);
  },
  'what does not fit the schema is refused': {
    differs: 'a body that does not fit its schema is the fault of its sender: 422 with the same words, not 500',
    run: async (s) => {
      for (const spec of [
        { size: 1, ports: [{ name: 'a' }, { name: 'a' }] },
        { size: 1, ports: [{ port: 1 }] },
        { size: 1, tags: ['a', 'a'] },
        { size: 1, tags: 'a' },
        { size: 1, ports: { name: 'a' } },
        { size: 1, ports: ['a'] },
        { size: 'one' },
        { size: 1, nested: 'x' },
        { size: 1, strings: { a: 1 } },
        { size: 1, strings: ['a'] },
        { size: 1, routes: [{ metric: 5 }] },
        { size: 1, unknown: 5 },
        { size: 1, nested: { unknown: 5, a: 'y' } },
      ])
        await s.apply(T(s), 'one', thing('t', spec), {
          // Go's print of the value is cut, and the namespace that only we name.
          look: (b) => (b['kind'] === 'Status' ? text(b).replace(`${s.ns}/`, '') : content(b)),
        });
    },
  },
  'null applies as a value where the schema lets it': async (s) => {
    await s.apply(
      T(s),
      'one',
      thing('t', { size: 1, maybe: null, maybeDefault: null, note: null, tags: null, nested: null }),
      whole,
    );
    await s.apply(T(s), 'one', thing('t', { size: 1, free: { a: null, b: { c: null } } }), whole);
  },
  'atomic maps and lists have one owner': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, atomicMap: { a: '1' }, plain: ['x'] }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 1, atomicMap: { b: '2' } }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 1, plain: ['x', 'y'] }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 1, atomicMap: { b: '2' }, plain: ['y'] }), { ...whole, force: true });
    await s.patch(`${T(s)}?fieldManager=three`, { spec: { atomicMap: { b: '3' } } }, whole);
  },
  'open parts are merged field by field, their lists whole': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, free: { a: 1, deep: { x: 1 }, list: [1, 2] } }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 1, free: { b: 2, deep: { y: 2 } } }), whole);
    await s.apply(T(s), 'two', thing('t', { size: 1, free: { b: 2, list: [3] } }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1, free: { a: 1 } }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1, half: { a: 4, other: true } }), whole);
  },
  'labels, annotations, finalizers and owners are merged': async (s) => {
    const owner = async (name: string) => {
      const made = await s.must('POST', s.core('configmaps'), configMap(name));
      const uid = at(made, 'metadata', 'uid');
      return { apiVersion: 'v1', kind: 'ConfigMap', name, uid, blockOwnerDeletion: true };
    };
    const [first, second] = [await owner('o1'), await owner('o2')];
    const one = { labels: { a: '1' }, annotations: { k: 'v' }, finalizers: ['a.b/one'], ownerReferences: [first] };
    const two = { labels: { b: '2' }, finalizers: ['a.b/two'], ownerReferences: [second] };
    await s.apply(T(s), 'one', thing('t', { size: 1 }, one), withMeta);
    await s.apply(T(s), 'two', thing('t', { size: 1 }, two), withMeta);
    await s.apply(T(s), 'two', thing('t', { size: 1 }, { labels: { a: '9' } }), withMeta);
    await s.apply(T(s), 'one', thing('t', { size: 1 }, { labels: { a: '1' } }), withMeta);
    await s.apply(T(s), 'two', thing('t', { size: 1 }), withMeta);
  },
  'an update takes over what it changes': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, note: 'x', tags: ['a', 'b'], strings: { k: 'v' } }), whole);
    await s.patch(
      `${T(s)}?fieldManager=two`,
      { spec: { note: 'y', strings: { k: 'w', l: 'm' }, tags: ['b', 'c'] } },
      whole,
    );
    await s.patch(`${T(s)}?fieldManager=two`, { spec: { note: null, strings: null } }, whole);
    await s.apply(T(s), 'one', thing('t', { size: 1, note: 'x' }), whole);
    await s.patch(`${T(s)}?fieldManager=one`, { spec: { size: 5 } }, whole);
    await s.apply(T(s), 'one', thing('t', { size: 5 }), whole);
  },
  'an apply that changes nothing keeps version and time': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, tags: ['a'] }));
    await s.apply(T(s), 'one', thing('t', { size: 1, tags: ['a'] }));
    await s.apply(T(s), 'one', thing('t', { size: 1, tags: ['a'] }), { force: true });
    await s.apply(T(s), 'two', thing('t', { size: 1 }));
    await s.apply(T(s), 'two', thing('t', { size: 1 }));
  },
  'status has owners of its own': async (s) => {
    const status = (phase: string) =>
      ({
        ...thing('t'),
        spec: undefined,
        status: { phase, conditions: [{ type: 'Ready', status: 'True' }] },
      }) as JsonObject;
    await s.apply(T(s), 'one', { ...thing('t'), status: { phase: 'ignored' } }, whole);
    await s.apply(`${T(s)}/status`, 'ctl', status('a'));
    await s.apply(`${T(s)}/status`, 'other', status('b'));
    await s.apply(`${T(s)}/status`, 'other', {
      apiVersion: THING,
      kind: 'Thing',
      metadata: { name: 't', labels: { no: 'label' } },
      status: { conditions: [{ type: 'Live', status: 'True' }] },
    });
    await s.patch(`${T(s)}/status?fieldManager=up`, { status: { phase: 'c', n: 5 } });
    await s.apply(`${T(s)}/status`, 'ctl', status('a'));
    await s.apply(`${T(s)}/status`, 'ctl', { apiVersion: THING, kind: 'Thing', metadata: { name: 't' }, status: {} });
    const none = { apiVersion: THING, kind: 'Thing', metadata: { name: 'none' }, status: {} };
    await s.apply(s.api(THING, 'things/none/status'), 'ctl', none);
  },
  'scale changes replicas for its caller': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1, replicas: 1 }), whole);
    await s.patch(`${T(s)}/scale?fieldManager=scaler`, { spec: { replicas: 3 } });
    await s.get(T(s), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1, replicas: 1 }), whole);
    await s.get(T(s), whole);
  },
  'an object without owners belongs to before-first-apply': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t', { size: 1, note: 'x' }));
    await s.patch(T(s), { metadata: { managedFields: [{}] } }, whole);
    await s.apply(T(s), 'one', thing('t', { size: 2 }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 1 }), whole);
    await s.apply(T(s), 'one', thing('t', { size: 2 }), { ...whole, force: true });
  },
  'a client may write managedFields': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a', { k: 'v' }));
    const path = s.core('configmaps/a');
    const entry = (manager: string, operation: string) => ({
      manager,
      operation,
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      time: '2020-01-01T00:00:00Z',
      fieldsV1: { 'f:data': { 'f:k': {} } },
    });
    await s.patch(path, { metadata: { managedFields: [entry('mine', 'Apply')] } });
    await s.apply(path, 'mine', configMap('a', { k: 'w' }), whole);
    await s.apply(path, 'other', configMap('a', { k: 'x' }), whole);
    await s.patch(path, { metadata: { managedFields: [entry('b', 'Update'), entry('a', 'Apply')] } }, whole);
    await s.patch(path, { metadata: { managedFields: [] } }, whole);
    await s.patch(path, { data: { z: 'z' } }, whole);
  },
  'ten managers that update, older ones become ancient': async (s) => {
    await s.must('POST', `${s.core('configmaps')}?fieldManager=m0`, configMap('a', { k0: 'v' }));
    for (let i = 1; i <= 12; i++) {
      await s.must(
        'PATCH',
        `${s.core('configmaps/a')}?fieldManager=m${i}`,
        { data: { [`k${i}`]: 'v' } },
        { type: 'application/merge-patch+json' },
      );
    }
    const managers = (b: JsonObject): Json[] =>
      (at(b, 'metadata', 'managedFields') as JsonObject[]).map((e) => e['manager'] ?? null);
    // Which of several managers of one second are the oldest is not said.
    await s.get(s.core('configmaps/a'), { look: (b) => [managers(b).length, managers(b).includes('ancient-changes')] });
  },
  'two versions of a kind have entries of their own': async (s) => {
    const beta = 'vec.bloomery.test/v1beta1';
    await s.apply(T(s), 'one', thing('t', { size: 1, note: 'x' }), whole);
    await s.apply(
      s.api(beta, 'things/t'),
      'two',
      { apiVersion: beta, kind: 'Thing', metadata: { name: 't' }, spec: { size: 2 } },
      whole,
    );
    await s.apply(
      s.api(beta, 'things/t'),
      'one',
      { apiVersion: beta, kind: 'Thing', metadata: { name: 't' }, spec: { size: 1 } },
      whole,
    );
    await s.apply(
      s.api(beta, 'things/t'),
      'two',
      { apiVersion: beta, kind: 'Thing', metadata: { name: 't' }, spec: { port: 5 } },
      whole,
    );
    await s.patch(`${s.api(beta, 'things/t')}?fieldManager=three`, { spec: { mode: 'fast' } }, whole);
    await s.apply(T(s), 'one', thing('t', { size: 1, mode: 'slow' }), whole);
  },
  'a dying object is not created again by apply': async (s) => {
    await s.apply(T(s), 'one', thing('t', { size: 1 }, { finalizers: ['a.b/c'] }), { look: 'code' });
    await s.delete(T(s), undefined, { look: 'code' });
    await s.apply(T(s), 'one', thing('t', { size: 1 }), { look: content });
    await s.get(T(s), { look: 'code' });
  },
  'an apply of YAML': async (s) => {
    await s.apply(
      s.core('configmaps/a'),
      'one',
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  "yes": "on"\n  text: |\n    two\n    lines\n`,
      whole,
    );
    await s.apply(s.core('configmaps/a'), 'one', `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: [`, {
      look: 'gist',
    });
    await s.apply(s.core('configmaps/a'), 'one', '', { look: 'gist' });
  },
  'built-in kinds keep the granularity of their fields': async (s) => {
    const sa = (more: JsonObject) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'x' }, ...more });
    const look = {
      look: (b: JsonObject): Json =>
        b['kind'] === 'Status'
          ? b
          : {
              secrets: b['secrets'] ?? null,
              pull: b['imagePullSecrets'] ?? null,
              managedFields: at(b, 'metadata', 'managedFields'),
            },
    };
    await s.apply(
      s.core('serviceaccounts/x'),
      'one',
      sa({ secrets: [{ name: 'a' }], imagePullSecrets: [{ name: 'p' }] }),
      look,
    );
    await s.apply(
      s.core('serviceaccounts/x'),
      'two',
      sa({ secrets: [{ name: 'b' }], imagePullSecrets: [{ name: 'q' }] }),
      look,
    );
    await s.apply(s.core('configmaps/a'), 'one', configMap('a', { a: '1' }), whole);
    await s.apply(s.core('configmaps/a'), 'two', configMap('a', { b: '1' }), whole);
    await s.apply(s.core('configmaps/a'), 'two', configMap('a', { a: '2' }), whole);
  },
});
