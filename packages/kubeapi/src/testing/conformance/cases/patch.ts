import type { Json, JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, configMap, content, secret, thing } from '../objects.ts';
import type { Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const JSON_PATCH = 'application/json-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
const SPEC = {
  size: 1,
  plain: ['a', 'b', 'c'],
  tags: ['x', 'y'],
  strings: { one: '1', two: '2' },
  ports: [
    { name: 'h', port: 80 },
    { name: 's', port: 443 },
  ],
  free: { deep: { er: [1, { z: null }] } },
};

async function json(s: Session, ...patches: readonly Json[]): Promise<void> {
  await s.must('POST', s.api(THING, 'things'), thing('t', SPEC));
  for (const patch of patches) await s.patch(s.api(THING, 'things/t'), patch, { type: JSON_PATCH, look: content });
}

async function merge(s: Session, ...patches: readonly Json[]): Promise<void> {
  await s.must('POST', s.api(THING, 'things'), thing('t', SPEC));
  for (const patch of patches) await s.patch(s.api(THING, 'things/t'), patch, { look: content });
}

async function strategic(s: Session, object: JsonObject, ...patches: readonly Json[]): Promise<void> {
  const kinds: Record<string, string> = {
    ConfigMap: 'configmaps',
    Secret: 'secrets',
    ServiceAccount: 'serviceaccounts',
    Pod: 'pods',
  };
  const path = s.core(kinds[String(object['kind'])] ?? '');
  await s.must('POST', path, object);
  const name = String(at(object, 'metadata', 'name'));
  for (const patch of patches) await s.patch(`${path}/${name}`, patch, { type: STRATEGIC, look: content });
}

const op = (name: string, path: string, value?: Json): JsonObject => ({
  op: name,
  path,
  ...(value === undefined ? {} : { value }),
});

/** JSON patch, merge patch, strategic merge patch. */
export const patch = area('patch', {
  'JSON patch adds, replaces and removes': (s) =>
    json(
      s,
      [op('add', '/spec/note', 'hello'), op('replace', '/spec/size', 3), op('remove', '/spec/plain/1')],
      [op('add', '/spec/plain/0', 'first'), op('add', '/spec/plain/-', 'last'), op('add', '/spec/plain/1', 'second')],
      [op('add', '/spec/ports/-', { name: 'new', port: 1 }), op('replace', '/spec/ports/0/port', 8080)],
      [op('remove', '/spec/strings')],
      [op('add', '/metadata/labels', { a: 'b' })],
      [op('add', '/metadata/labels/slash~1key', 'v')],
      [op('add', '/metadata/annotations', { 'ti~lde': 'v' }), op('replace', '/metadata/annotations/ti~0lde', 'w')],
    ),
  'JSON patch moves and copies': (s) =>
    json(
      s,
      [{ op: 'move', from: '/spec/strings/one', path: '/spec/strings/moved' }],
      [{ op: 'copy', from: '/spec/strings/two', path: '/spec/strings/copied' }],
      [{ op: 'copy', from: '/spec/plain/0', path: '/spec/plain/-' }],
      [{ op: 'move', from: '/spec/plain/0', path: '/spec/plain/2' }],
      [{ op: 'move', from: '/spec/none', path: '/spec/note' }],
      [{ op: 'copy', from: '/spec/none', path: '/spec/note' }],
      [{ op: 'copy', path: '/spec/note' }],
      [{ op: 'move', from: '/spec/free', path: '/spec/free/inner' }],
    ),
  'JSON patch tests': (s) =>
    json(
      s,
      [op('test', '/spec/size', 1), op('replace', '/spec/size', 2)],
      [op('test', '/spec/size', 1), op('replace', '/spec/size', 3)],
      [op('test', '/spec/none', null), op('replace', '/spec/size', 4)],
      [op('test', '/spec/none', 'x')],
      [op('test', '/spec/strings', { two: '2', one: '1' }), op('replace', '/spec/size', 5)],
      [op('test', '/spec/plain', ['b', 'a', 'c'])],
      [op('test', '/spec/free/deep/er', [1, { z: null }]), op('replace', '/spec/size', 6)],
      [{ op: 'test', path: '/spec/size' }],
    ),
  'a JSON patch that does not fit is refused whole': (s) =>
    json(
      s,
      [op('replace', '/spec/size', 9), op('remove', '/spec/none')],
      [op('replace', '/spec/none', 1)],
      [op('replace', '/spec/none/deep', 1)],
      [op('add', '/spec/none/deep', 1)],
      [op('add', '/spec/plain/9', 'x')],
      [op('remove', '/spec/plain/9')],
      [op('remove', '/spec/plain/-')],
      [op('add', '/spec/plain/-1', 'x')],
      [op('add', '/spec/plain/01', 'x')],
      [op('add', '/spec/plain/word', 'x')],
      [op('fly', '/spec/size', 1)],
      [{ path: '/spec/size', value: 1 }],
      [{ op: 'add', value: 1 }],
      [{ op: 'add', path: '/spec/note' }],
      [{ op: 'replace', path: '/spec/size' }],
      [op('add', 'spec/size', 1)],
      [op('remove', '')],
      [op('replace', '', { kind: 'Thing', apiVersion: THING, metadata: { name: 't' }, spec: { size: 8 } })],
    ),
  'a body that is no JSON patch is refused': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t', SPEC));
    const path = s.api(THING, 'things/t');
    for (const body of ['{}', '"x"', '[', 'null', '[1]', '[[]]', '[{"op":5}]', '']) {
      await s.patch(path, body, { type: JSON_PATCH, look: 'gist' });
    }
    await s.patch(path, [], { type: JSON_PATCH, look: content });
  },
  'a result of a JSON patch is validated': (s) =>
    json(
      s,
      [op('replace', '/spec/size', 101)],
      [op('replace', '/spec/size', 'text')],
      [op('remove', '/spec/size')],
      [op('replace', '/kind', 'Other')],
      [op('replace', '/apiVersion', 'v2')],
      [op('replace', '/metadata/name', 'other')],
      [op('replace', '/metadata/uid', 'other')],
      [op('add', '/metadata/namespace', 'other')],
      [op('remove', '/metadata/namespace')],
      [op('remove', '/metadata/name')],
      [op('remove', '/metadata')],
      [op('remove', '/spec')],
      [op('add', '/spec/unknown', 1)],
      [op('add', '/status', { phase: 'x' })],
    ),
  'a JSON patch of a built-in kind': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a', { a: '1', b: '2' }));
    const path = s.core('configmaps/a');
    for (const body of [
      [op('add', '/data/c', '3'), op('remove', '/data/a')],
      [op('add', '/data/d', 4)],
      [op('remove', '/data/none')],
      [op('replace', '/data', { only: 'this' })],
      [op('remove', '/data')],
      [op('add', '/data/x', 'y')],
      [op('add', '/binaryData', { k: 'AAE=' })],
      [op('add', '/metadata/finalizers', ['a.b/c'])],
      [op('test', '/metadata/finalizers', ['a.b/c']), op('remove', '/metadata/finalizers/0')],
      [op('add', '/metadata/resourceVersion', '1')],
    ])
      await s.patch(path, body, { type: JSON_PATCH, look: content });
  },
  'ten thousand operations are the most': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    const many = Array.from({ length: 10_001 }, () => op('test', '/data/a', '1'));
    await s.patch(s.core('configmaps/a'), many, { type: JSON_PATCH });
    await s.patch(s.core('configmaps/a'), many.slice(1), { type: JSON_PATCH, look: content });
  },
  'merge patch merges maps, replaces lists, and null deletes': (s) =>
    merge(
      s,
      { spec: { strings: { three: '3', one: null }, plain: ['only'], tags: null } },
      { spec: { free: { deep: { er: null, new: { a: null, b: 1 } } } } },
      { spec: { nested: { b: 'x' } } },
      { spec: { nested: null, note: 'hi' } },
      { spec: { ports: [{ name: 'q' }] } },
      { spec: { maybe: null, maybeDefault: null, mode: null, flag: null } },
      { metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } },
      { metadata: { labels: { a: null } } },
      { metadata: { labels: null, annotations: null } },
      { spec: { unknown: 1 }, extra: 2 },
      {},
    ),
  'a merge patch whose result is wrong is refused': (s) =>
    merge(
      s,
      { spec: null },
      { spec: { size: null } },
      { spec: { size: 'x' } },
      { spec: { size: -1, mode: 'warp' } },
      { spec: [] },
      { spec: 5 },
      { metadata: null },
      { metadata: { name: 'x' } },
      { metadata: { uid: 'x' } },
      { metadata: { namespace: 'x' } },
      { metadata: { resourceVersion: '1' } },
      { kind: 'Other' },
      { apiVersion: 'vec.bloomery.test/v1beta1' },
      { kind: null },
      { metadata: { labels: { a: 5 } } },
    ),
  'a body that is no merge patch is refused': async (s) => {
    await s.must('POST', s.api(THING, 'things'), thing('t', SPEC));
    await s.must('POST', s.core('configmaps'), configMap('a'));
    for (const path of [s.api(THING, 'things/t'), s.core('configmaps/a')])
      for (const body of ['[]', '"x"', '5', 'null', '{', '']) await s.patch(path, body, { look: 'gist' });
  },
  'a merge patch of a built-in kind': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a', { a: '1', b: '2' }));
    for (const body of [
      { data: { a: null, c: '3' } },
      { data: { c: 5 } },
      { data: null },
      { immutable: 'yes' },
      { unknown: 1 },
      { metadata: { finalizers: ['a.b/c'] } },
      { metadata: { finalizers: [] } },
      { kind: 'Secret' },
      { apiVersion: 'v2' },
    ])
      await s.patch(s.core('configmaps/a'), body, { look: content });
  },
  'content types of patches': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.must('POST', s.api(THING, 'things'), thing('t', SPEC));
    for (const path of [s.core('configmaps/a'), s.api(THING, 'things/t')])
      for (const type of [
        'application/json',
        'text/plain',
        STRATEGIC,
        'application/apply-patch+cbor',
        'application/merge-patch+json; charset=utf-8',
        'application/merge-patch+yaml',
      ])
        await s.patch(path, {}, { type, look: (b) => (b['kind'] === 'Status' ? b : 'patched') });
  },
  'a strategic merge patch of maps': (s) =>
    strategic(
      s,
      configMap('a', { a: '1', b: '2' }, { labels: { x: 'y' }, annotations: { k: 'v' } }),
      { data: { c: '3', a: null } },
      { data: { $patch: 'replace', only: 'this' } },
      { metadata: { labels: { $patch: 'delete' } } },
      { metadata: { annotations: { more: 'here' } } },
      { metadata: { annotations: { $retainKeys: ['more'], more: 'kept' } } },
      { data: null },
    ),
  'a strategic merge patch of finalizers': (s) =>
    strategic(
      s,
      configMap('a', {}, { finalizers: ['a.b/one', 'a.b/two'] }),
      { metadata: { finalizers: ['a.b/three'] } },
      { metadata: { finalizers: ['a.b/two'] } },
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a.b/one'] } },
      { metadata: { '$setElementOrder/finalizers': ['a.b/two', 'a.b/three'], finalizers: ['a.b/two'] } },
      { metadata: { '$setElementOrder/finalizers': ['a.b/four', 'a.b/two', 'a.b/three'], finalizers: ['a.b/four'] } },
      { metadata: { finalizers: null } },
    ),
  'a strategic merge patch of owners': (s) => {
    const owner = (uid: string, more: JsonObject = {}) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: `n${uid}`,
      uid,
      ...more,
    });
    return strategic(
      s,
      configMap('a', {}, { ownerReferences: [owner('u1'), owner('u2')], finalizers: ['a.b/c'] }),
      { metadata: { ownerReferences: [{ uid: 'u2', controller: true }] } },
      { metadata: { ownerReferences: [owner('u3')] } },
      { metadata: { ownerReferences: [{ $patch: 'delete', uid: 'u1' }] } },
      { metadata: { ownerReferences: [{ $patch: 'delete', uid: 'none' }] } },
      { metadata: { ownerReferences: [{ $patch: 'replace' }, owner('u9')] } },
    );
  },
  'a strategic merge patch of a secret': (s) =>
    strategic(
      s,
      secret('a', { k: 'v' }),
      { stringData: { more: 'text' } },
      { data: { k: 'dw==' } },
      { data: { k: null } },
    ),
  'a strategic merge patch of a service account': (s) =>
    strategic(
      s,
      {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'x' },
        secrets: [{ name: 's1' }],
        imagePullSecrets: [{ name: 'p1' }],
      },
      { secrets: [{ name: 's2' }], imagePullSecrets: [{ name: 'p2' }] },
      { secrets: [{ $patch: 'delete', name: 's1' }] },
      { imagePullSecrets: [{ $patch: 'replace' }, { name: 'p9' }] },
      { automountServiceAccountToken: false },
    ),
  'lists of roles are replaced by a strategic merge patch': async (s) => {
    const path = s.api('rbac.authorization.k8s.io/v1', 'roles');
    const rule = (verb: string) => ({ apiGroups: [''], resources: ['configmaps'], verbs: [verb] });
    await s.must('POST', path, {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'r' },
      rules: [rule('get'), rule('list')],
    });
    await s.patch(`${path}/r`, { rules: [rule('watch')] }, { type: STRATEGIC, look: content });
  },
  'a strategic merge patch that makes no sense is refused': {
    differs: 'a patch that makes no sense is the fault of its sender: 422 as for other patches, not 500',
    run: async (s) => {
      await s.must('POST', s.core('configmaps'), configMap('a', {}, { finalizers: ['a.b/four'] }));
      for (const body of [
        { data: { $patch: 'other', also: 'that' } },
        { metadata: { ownerReferences: [{ name: 'no-key' }] } },
        { metadata: { $retainKeys: ['labels'], annotations: { a: 'b' } } },
        { metadata: { '$setElementOrder/finalizers': 'text' } },
      ])
        await s.patch(s.core('configmaps/a'), body, { type: STRATEGIC, look: 'code' });
    },
  },
  'a strategic merge patch that is none is refused': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    for (const body of ['[]', '"x"', '{', 'null', ''])
      await s.patch(s.core('configmaps/a'), body, { type: STRATEGIC, look: 'gist' });
    await s.patch(s.core('configmaps/a'), { data: { a: 5 } }, { type: STRATEGIC, look: 'gist' });
    await s.patch(s.core('configmaps/a'), { data: ['x'] }, { type: STRATEGIC, look: 'gist' });
    await s.patch(s.core('configmaps/a'), { unknown: 1 }, { type: STRATEGIC });
    await s.patch(s.core('configmaps/a'), { metadata: { finalizers: 'x' } }, { type: STRATEGIC, look: 'gist' });
  },
  'patches without a version never conflict with each other': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a', {}));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        s.quiet(
          'PATCH',
          s.core('configmaps/a'),
          { data: { [`k${i}`]: 'v' } },
          { type: 'application/merge-patch+json' },
        ),
      ),
    );
    s.note(
      'codes',
      answers.map((a) => a.code),
    );
    await s.get(s.core('configmaps/a'), { look: (b) => Object.keys((b['data'] ?? {}) as JsonObject).length });
  },
});
