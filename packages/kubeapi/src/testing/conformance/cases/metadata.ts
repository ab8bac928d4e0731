import { area } from '../area.ts';
import { configMap, content, lease, thing } from '../objects.ts';
import type { Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const UID = '11111111-2222-3333-4444-555555555555';
const owner = (more: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: UID, ...more });

/** Create a ConfigMap and a Thing with this metadata. */
async function both(s: Session, metadata: Parameters<typeof configMap>[2]): Promise<void> {
  await s.post(s.core('configmaps'), configMap('a', {}, metadata), { look: content });
  await s.post(s.api(THING, 'things'), thing('a', { size: 1 }, metadata), { look: content });
}

/** Names, labels, annotations, owners and finalizers. */
export const metadata = area('metadata', {
  'names of most kinds are subdomains': async (s) => {
    for (const name of ['Upper', 'under_score', '-dash', 'dash-', 'a..b', 'a b', 'a/b', 'x'.repeat(254), 'ü', '.']) {
      await s.post(s.core('configmaps'), configMap(name));
    }
    await s.post(s.core('configmaps'), configMap('a.b-c.0'), { look: content });
    await s.post(s.core('configmaps'), configMap('x'.repeat(253)), { look: 'code' });
    for (const name of ['Upper', 'a/b', 'a%b', 'x'.repeat(254)]) await s.post(s.api(THING, 'things'), thing(name));
    await s.post(s.api('coordination.k8s.io/v1', 'leases'), lease('Upper', 'x'));
    await s.post(s.core('secrets'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'Upper_' } });
    await s.post(s.core('serviceaccounts'), { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'Upper_' } });
  },
  'names of namespaces are labels': async (s) => {
    for (const name of ['Upper', 'a.b', 'x'.repeat(64), '1-', '']) {
      await s.post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    }
  },
  'names of RBAC kinds are path segments': async (s) => {
    const role = (name: string) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name },
      rules: [],
    });
    for (const name of ['a/b', 'a%b', '.', '..', 'system:Upper_Case', 'a b']) {
      await s.post(s.api('rbac.authorization.k8s.io/v1', 'roles'), role(name), {
        look: (b) => (b['kind'] === 'Status' ? b : 'created'),
      });
    }
  },
  'labels are checked': async (s) => {
    for (const labels of [
      { 'bad key': 'v' },
      { '': 'v' },
      { ok: 'bad value' },
      { ok: '-v' },
      { ok: 'v'.repeat(64) },
      { ['k'.repeat(64)]: 'v' },
      { 'a/b/c': 'v' },
      { '/b': 'v' },
      { 'a/': 'v' },
      { 'Upper.example/b': 'v' },
      { [`${'p'.repeat(254)}/b`]: 'v' },
      { 'two bad': 'v', 'more bad': 'v w' },
    ]) {
      await both(s, { labels });
    }
    await both(s, { labels: { 'example.com/Good_Key.1': 'Va-l_u.e', empty: '', ['k'.repeat(63)]: 'v'.repeat(63) } });
  },
  'annotations are checked': async (s) => {
    await both(s, { annotations: { 'bad key': 'v' } });
    await both(s, { annotations: { 'Upper.Example/Key': 'any Value\n' } });
    await s.post(s.core('configmaps'), configMap('big', {}, { annotations: { a: 'x'.repeat(262_144) } }));
    await s.post(s.api(THING, 'things'), thing('big', { size: 1 }, { annotations: { a: 'x'.repeat(262_144) } }));
    await s.post(s.core('configmaps'), configMap('fits', {}, { annotations: { a: 'x'.repeat(262_143) } }), {
      look: 'code',
    });
  },
  'finalizers are qualified names': async (s) => {
    await both(s, { finalizers: ['bad name/x'] });
    await both(s, { finalizers: [''] });
    await both(s, { finalizers: ['a/b/c'] });
    await both(s, { finalizers: ['nogroup'] });
    await both(s, { finalizers: ['orphan', 'foregroundDeletion'] });
  },
  'finalizers may be bare words of Kubernetes only': async (s) => {
    await both(s, { finalizers: ['kubernetes', 'orphan', 'a.b/c'] });
  },
  'owners need all their names': async (s) => {
    await both(s, { ownerReferences: [{ name: 'x' }] });
    await both(s, { ownerReferences: [owner({ name: '' })] });
    await both(s, { ownerReferences: [owner({ uid: '' })] });
    await both(s, { ownerReferences: [owner({ apiVersion: '' })] });
    await both(s, { ownerReferences: [owner({ apiVersion: 'a/b/c' })] });
    await both(s, { ownerReferences: [owner({ kind: '' })] });
    await both(s, { ownerReferences: [owner({ kind: 'Event' })] });
  },
  'one owner only is the controller': async (s) => {
    await both(s, {
      ownerReferences: [owner({ controller: true }), owner({ controller: true, uid: `${UID.slice(0, -1)}6` })],
    });
  },
  'an owner given twice is a warning': async (s) => {
    const twice = configMap(
      'a',
      {},
      { ownerReferences: [owner({ uid: `${UID.slice(0, -1)}7` }), owner({ uid: `${UID.slice(0, -1)}7` })] },
    );
    await s.post(`${s.core('configmaps')}?dryRun=All`, twice);
  },
  'metadata of patches is checked as well': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.must('POST', s.api(THING, 'things'), thing('a'));
    for (const path of [s.core('configmaps/a'), s.api(THING, 'things/a')]) {
      await s.patch(path, { metadata: { labels: { 'bad key': 'v' } } });
      await s.patch(path, { metadata: { annotations: { 'bad key': 'v' } } });
      await s.patch(path, { metadata: { finalizers: ['bad name'] } });
      await s.patch(path, { metadata: { ownerReferences: [{ name: 'x' }] } });
      await s.patch(path, { metadata: { labels: 'text' } });
      await s.patch(path, { metadata: { generateName: 'other-' } }, { look: content });
      await s.patch(path, { metadata: { managedFields: [{ manager: 'x' }] } });
      await s.patch(path, {
        metadata: { managedFields: [{ manager: 'x', operation: 'Other', apiVersion: 'v1', fieldsType: 'FieldsV1' }] },
      });
      await s.patch(path, {
        metadata: { managedFields: [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV2' }] },
      });
    }
  },
  'the field manager is checked': async (s) => {
    const path = s.core('configmaps');
    await s.post(`${path}?fieldManager=${'m'.repeat(129)}`, configMap('a'));
    await s.post(`${path}?fieldManager=${encodeURIComponent('a\tb')}`, configMap('a'));
    await s.post(`${path}?fieldManager=my-manager`, configMap('a'));
    await s.post(path, configMap('b'), { headers: { 'user-agent': 'my-tool/1.2 (linux)' } });
    await s.post(path, configMap('c'), { headers: { 'user-agent': 'tool without slash' } });
    await s.post(path, configMap('d'), { headers: { 'user-agent': 't'.repeat(200) } });
    await s.post(path, configMap('e'), { headers: { 'user-agent': '' } });
  },
});
