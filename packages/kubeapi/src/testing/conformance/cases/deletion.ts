import type { Json, JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, configMap, content, thing } from '../objects.ts';
import type { Session } from '../session.ts';
import { THING } from '../shared-kinds.ts';

const MERGE = { type: 'application/merge-patch+json' };
const NS = '/api/v1/namespaces';
const namespace = (name: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...more },
});

async function family(s: Session, more: JsonObject = {}): Promise<void> {
  const owner = await s.must('POST', s.core('configmaps'), configMap('owner'));
  const ownerReferences = [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: at(owner, 'metadata', 'uid'), ...more },
  ];
  await s.must('POST', s.core('secrets'), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'child', ownerReferences },
  });
  const child = await s.must('GET', s.core('secrets/child'));
  const grand = [{ apiVersion: 'v1', kind: 'Secret', name: 'child', uid: at(child, 'metadata', 'uid') }];
  await s.must('POST', s.core('configmaps'), configMap('grandchild', {}, { ownerReferences: grand }));
}

const gone = (s: Session, path: string) => s.eventually(`${path} is gone`, path, (a) => a.code === 404);

/** Deletion with dependents, and of namespaces. */
export const deletion = area(
  'deletion',
  {
    'background: the owner goes at once, the dependents follow': async (s) => {
      await family(s);
      await s.delete(s.core('configmaps/owner'), { propagationPolicy: 'Background' });
      await gone(s, s.core('secrets/child'));
      await gone(s, s.core('configmaps/grandchild'));
    },
    'foreground: the owner waits for dependents that block': async (s) => {
      await family(s, { blockOwnerDeletion: true });
      await s.must('PATCH', s.core('secrets/child'), { metadata: { finalizers: ['a.b/hold'] } }, MERGE);
      await s.delete(s.core('configmaps/owner'), { propagationPolicy: 'Foreground' });
      await s.eventually(
        'the child is dying',
        s.core('secrets/child'),
        (a) => at(a.body, 'metadata', 'deletionTimestamp') !== null,
      );
      await s.get(s.core('configmaps/owner'), { look: content });
      await s.must('PATCH', s.core('secrets/child'), { metadata: { finalizers: null } }, MERGE);
      await gone(s, s.core('secrets/child'));
      await gone(s, s.core('configmaps/owner'));
    },
    'orphan: the dependents stay without the reference': async (s) => {
      await family(s);
      await s.delete(
        s.core('configmaps/owner'),
        { propagationPolicy: 'Orphan' },
        { look: (b) => (b['kind'] === 'Status' ? 'gone' : content(b)) },
      );
      await gone(s, s.core('configmaps/owner'));
      await s.get(s.core('secrets/child'), { look: content });
    },
    'orphanDependents says the same': async (s) => {
      await family(s);
      await s.delete(s.core('configmaps/owner'), { orphanDependents: true }, { look: 'code' });
      await gone(s, s.core('configmaps/owner'));
      await s.get(s.core('secrets/child'), { look: content });
    },
    'a dependent of two owners loses the dead one': async (s) => {
      const [a, b] = [
        await s.must('POST', s.core('configmaps'), configMap('a')),
        await s.must('POST', s.core('configmaps'), configMap('b')),
      ];
      const ref = (o: JsonObject, name: string) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name,
        uid: at(o, 'metadata', 'uid'),
      });
      await s.must('POST', s.core('secrets'), {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'child', ownerReferences: [ref(a, 'a'), ref(b, 'b')] },
      });
      await s.must('DELETE', s.core('configmaps/a'));
      await s.eventually(
        'one owner is left',
        s.core('secrets/child'),
        (x) => (at(x.body, 'metadata', 'ownerReferences') as Json[]).length === 1,
      );
      await s.get(s.core('secrets/child'), { look: content });
    },
    'a dependent whose owner never was goes': async (s) => {
      const ownerReferences = [
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'never', uid: '11111111-2222-3333-4444-555555555555' },
      ];
      await s.must('POST', s.core('secrets'), {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'child', ownerReferences },
      });
      await gone(s, s.core('secrets/child'));
      s.note('gone', true);
    },
    'a namespace is made ready and shows itself': async (s) => {
      await s.get(`${NS}/${s.ns}`, { look: content });
      await s.eventually('its account is there', s.core('serviceaccounts/default'), (a) => a.code === 200);
      await s.eventually('its authority is there', s.core('configmaps/kube-root-ca.crt'), (a) => a.code === 200);
      await s.get(s.core('serviceaccounts/default'), { look: content });
      await s.get(s.core('configmaps/kube-root-ca.crt'), {
        look: (b) => Object.keys(b['data'] as JsonObject),
      });
      await s.patch(
        `${NS}/${s.ns}`,
        { metadata: { labels: { 'kubernetes.io/metadata.name': 'other', own: 'label' } } },
        { look: content },
      );
      await s.patch(`${NS}/${s.ns}`, { metadata: { labels: null } }, { look: content });
    },
    'a deleted namespace takes everything with it': async (s) => {
      const name = `${s.ns}-x`;
      await s.must('POST', NS, namespace(name));
      await s.must('POST', `${NS}/${name}/configmaps`, configMap('a', {}, { finalizers: ['a.b/hold'] }));
      await s.must('POST', `/apis/${THING}/namespaces/${name}/things`, thing('t'));
      await s.delete(`${NS}/${name}`, undefined, {
        look: (b) => [content(b), at(b, 'metadata', 'deletionTimestamp') !== null],
      });
      await s.delete(`${NS}/${name}`, undefined, { look: 'gist' });
      await s.post(`${NS}/${name}/configmaps`, configMap('late'));
      await s.post(`/apis/${THING}/namespaces/${name}/things`, thing('late'));
      await s.eventually('what remains is said', `${NS}/${name}`, (a) =>
        ((at(a.body, 'status', 'conditions') ?? []) as JsonObject[]).some(
          (c) => c['type'] === 'NamespaceFinalizersRemaining' && c['status'] === 'True',
        ),
      );
      await s.get(`${NS}/${name}`, {
        look: (b) => ({
          spec: b['spec'] ?? null,
          phase: at(b, 'status', 'phase'),
          conditions: (at(b, 'status', 'conditions') as JsonObject[]).toSorted((x, y) =>
            String(x['type']) < String(y['type']) ? -1 : 1,
          ),
        }),
      });
      await gone(s, `/apis/${THING}/namespaces/${name}/things/t`);
      await s.patch(`${NS}/${name}/configmaps/a`, { metadata: { finalizers: null } }, { look: 'code' });
      await gone(s, `${NS}/${name}`);
      await s.post(NS, namespace(name), { look: 'code' });
      await s.get(`${NS}/${name}/configmaps/a`, { look: 'code' });
      await s.quiet('DELETE', `${NS}/${name}`);
    },
    'system namespaces stay': async (s) => {
      for (const name of ['default', 'kube-system', 'kube-public']) await s.delete(`${NS}/${name}`);
      for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
        await s.get(`${NS}/${name}`, {
          look: (b) => [at(b, 'status', 'phase'), at(b, 'metadata', 'labels'), b['spec'] ?? null],
        });
    },
    'finalize and status of a namespace': async (s) => {
      const name = `${s.ns}-f`;
      await s.must('POST', NS, { ...namespace(name), spec: { finalizers: ['a.b/mine'] } });
      await s.get(`${NS}/${name}`, { look: (b) => b['spec'] ?? null });
      await s.patch(`${NS}/${name}`, { spec: { finalizers: [] } }, { look: (b) => b['spec'] ?? null });
      await s.call(
        'PUT',
        `${NS}/${name}/finalize`,
        { ...namespace(name), spec: { finalizers: ['kubernetes'] } },
        { look: (b) => b['spec'] ?? b },
      );
      await s.delete(`${NS}/${name}`, undefined, { look: 'code' });
      await gone(s, `${NS}/${name}`);
    },
    'a custom resource is collected too': async (s) => {
      const owner = await s.must('POST', s.api(THING, 'things'), thing('owner'));
      const ownerReferences = [
        {
          apiVersion: THING,
          kind: 'Thing',
          name: 'owner',
          uid: at(owner, 'metadata', 'uid'),
          blockOwnerDeletion: true,
          controller: true,
        },
      ];
      await s.must('POST', s.core('configmaps'), configMap('child', {}, { ownerReferences }));
      await s.delete(s.api(THING, 'things/owner'), { propagationPolicy: 'Foreground' });
      await gone(s, s.core('configmaps/child'));
      await gone(s, s.api(THING, 'things/owner'));
    },
  },
  { concurrency: 12 },
);
