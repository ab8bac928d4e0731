import type { JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, configMap, kindAndNames, secret, thing } from '../objects.ts';
import { THING } from '../shared-kinds.ts';

const FUTURE = '9000000000000000000';

/** Create, read, update, delete, and what is refused. */
export const crud = area('crud', {
  'a created object has uid, version, time, namespace and the writer as manager': async (s) => {
    await s.post(s.core('configmaps'), configMap('a'));
    await s.get(s.core('configmaps/a'));
    await s.post(s.api(THING, 'things'), thing('t'));
    await s.get(s.api(THING, 'things/t'));
  },
  'a second create of one name is refused': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.post(s.core('configmaps'), configMap('a', { b: '2' }));
    await s.must('POST', s.api(THING, 'things'), thing('t'));
    await s.post(s.api(THING, 'things'), thing('t'));
  },
  'what is not there is not found, by every verb': async (s) => {
    for (const path of [s.core('configmaps/none'), s.api(THING, 'things/none')]) {
      await s.get(path);
      await s.delete(path);
      await s.patch(path, { metadata: { labels: { a: 'b' } } });
    }
    await s.put(s.core('configmaps/none'), configMap('none'));
    await s.put(s.api(THING, 'things/none'), thing('none', { size: 1 }, { resourceVersion: '5' }));
    await s.put(s.api(THING, 'things/none'), thing('none'));
    await s.get('/api/v1/namespaces/none-such');
  },
  'an unknown path is not found as plain text': async (s) => {
    await s.get(s.api(THING, 'others'));
    await s.get('/apis/none.example.com/v1/things');
    await s.get(s.core('configmaps/a/none'));
    await s.get('/none');
    await s.get('/apis/none.example.com');
    await s.get('/api/v2');
  },
  'a create in a namespace that is not there is not found': async (s) => {
    await s.post('/api/v1/namespaces/no-such-ns/configmaps', configMap('a'));
    await s.post(`/apis/${THING}/namespaces/no-such-ns/things`, thing('a'));
    await s.get('/api/v1/namespaces/no-such-ns/configmaps', { look: (b) => b['items'] ?? null });
    await s.get('/api/v1/namespaces/no-such-ns/configmaps/a');
    await s.delete('/api/v1/namespaces/no-such-ns/configmaps/a');
  },
  'the namespace of body and path must agree': async (s) => {
    await s.post(s.core('configmaps'), configMap('a', {}, { namespace: 'other' }));
    await s.post(s.api(THING, 'things'), thing('a', { size: 1 }, { namespace: 'other' }));
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.put(s.core('configmaps/a'), configMap('a', {}, { namespace: 'other' }));
    await s.patch(s.core('configmaps/a'), { metadata: { namespace: 'other' } });
  },
  'the name of body and path must agree': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.put(s.core('configmaps/a'), configMap('b'));
    await s.patch(s.core('configmaps/a'), { metadata: { name: 'b' } });
    await s.put(s.core('configmaps/a'), { apiVersion: 'v1', kind: 'ConfigMap', data: {} });
  },
  'the kind of the body must be that of the path': async (s) => {
    await s.post(s.core('configmaps'), secret('a'));
    await s.post(s.core('configmaps'), { ...configMap('a'), apiVersion: 'v2' });
    await s.post(s.core('configmaps'), { ...configMap('a'), kind: 'Nonsense' });
    await s.post(s.api(THING, 'things'), { ...thing('a'), kind: 'Other' });
    await s.post(s.api(THING, 'things'), { ...thing('a'), apiVersion: 'vec.bloomery.test/v1beta1' });
    await s.post(s.api(THING, 'things'), { ...thing('a'), apiVersion: 'other.test/v1' });
  },
  'kind and apiVersion may be left out where the path says them': async (s) => {
    await s.post(s.core('configmaps'), { metadata: { name: 'a' }, data: { k: 'v' } });
    await s.post(s.api(THING, 'things'), { metadata: { name: 'a' }, spec: { size: 1 } });
  },
  'broken bodies are refused': async (s) => {
    await s.post(s.core('configmaps'), '{"kind":', { look: 'gist' });
    await s.post(s.core('configmaps'), '', { look: 'gist' });
    await s.post(s.core('configmaps'), '[]', { look: 'gist' });
    await s.post(s.core('configmaps'), '"text"', { look: 'gist' });
    await s.post(s.api(THING, 'things'), '{"kind":', { look: 'gist' });
    await s.post(s.api(THING, 'things'), '[]', { look: 'gist' });
  },
  'fields of a wrong type are refused by name': async (s) => {
    await s.post(s.core('configmaps'), configMap('a', { k: 5 }));
    await s.post(s.core('configmaps'), { ...configMap('a'), data: ['x'] });
    await s.post(s.core('configmaps'), { ...configMap('a'), metadata: { name: 'a', labels: { x: 1 } } });
    await s.post(s.core('configmaps'), { ...configMap('a'), metadata: { name: 5 } });
    await s.post(s.core('secrets'), { ...secret('a'), data: { k: 'not base64!' } });
    await s.post(s.api(THING, 'things'), { ...thing('a'), metadata: { name: 'a', labels: { x: 1 } } });
  },
  'a version on create is refused': async (s) => {
    await s.post(s.core('configmaps'), configMap('a', {}, { resourceVersion: '1' }));
    await s.post(s.api(THING, 'things'), thing('a', { size: 1 }, { resourceVersion: '1' }));
  },
  'what the server owns is ignored on create': async (s) => {
    const given = {
      uid: '11111111-2222-3333-4444-555555555555',
      creationTimestamp: '2001-01-01T00:00:00Z',
      deletionTimestamp: '2001-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 5,
      generation: 7,
      selfLink: '/x',
    };
    const { generation: _, ...without } = given;
    await s.post(s.core('configmaps'), configMap('a', {}, without));
    await s.post(s.api(THING, 'things'), thing('a', { size: 1 }, given));
  },
  'a null creationTimestamp is accepted': async (s) => {
    await s.post(s.core('configmaps'), configMap('a', {}, { creationTimestamp: null }));
    await s.post(s.api(THING, 'things'), { ...thing('a', { size: 1 }, { creationTimestamp: null }), status: {} });
  },
  'generateName makes a name of five more letters': async (s) => {
    const pick = (b: object): string =>
      String(at(b as never, 'metadata', 'name')).replace(/[bcdfghjklmnpqrstvwxz2456789]{5}$/, '?????');
    await s.post(s.core('configmaps'), configMap('', {}, { generateName: 'gen-' }), { look: pick });
    await s.post(s.api(THING, 'things'), thing('', { size: 1 }, { generateName: 'gen-' }), { look: pick });
    await s.post(
      s.core('configmaps'),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'Bad_' } },
      { look: 'gist' },
    );
    await s.post(s.core('configmaps'), { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} });
    await s.post(s.core('configmaps'), { apiVersion: 'v1', kind: 'ConfigMap' });
    await s.post(s.api(THING, 'things'), { apiVersion: THING, kind: 'Thing', spec: { size: 1 } });
    await s.post(s.core('configmaps'), configMap('both', {}, { generateName: 'gen-' }));
  },
  'a long generateName is cut so that the name fits': async (s) => {
    const length = (b: JsonObject): number => String(at(b, 'metadata', 'name')).length;
    await s.post(s.core('configmaps'), configMap('', {}, { generateName: 'x'.repeat(252) }), { look: length });
    await s.post(s.core('configmaps'), configMap('', {}, { generateName: 'x'.repeat(300) }), { look: length });
  },
  'an update needs the version of a custom resource, not of a ConfigMap': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.put(s.core('configmaps/a'), configMap('a', { b: '2' }));
    await s.must('POST', s.api(THING, 'things'), thing('t'));
    await s.put(s.api(THING, 'things/t'), thing('t', { size: 2 }));
  },
  'a stale version is a conflict': async (s) => {
    const first = await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.must('PUT', s.core('configmaps/a'), configMap('a', { b: '2' }));
    const resourceVersion = at(first, 'metadata', 'resourceVersion');
    await s.put(s.core('configmaps/a'), configMap('a', { c: '3' }, { resourceVersion }));
    await s.patch(s.core('configmaps/a'), { metadata: { resourceVersion }, data: { c: '3' } });
    await s.put(s.core('configmaps/a'), configMap('a', { c: '3' }, { resourceVersion: 'abc' }));
    await s.put(s.core('configmaps/a'), configMap('a', { c: '3' }, { resourceVersion: FUTURE }));
    await s.get(s.core('configmaps/a'));
    const made = await s.must('POST', s.api(THING, 'things'), thing('t'));
    const old = at(made, 'metadata', 'resourceVersion');
    await s.put(s.api(THING, 'things/t'), thing('t', { size: 2 }, { resourceVersion: old }));
    await s.put(s.api(THING, 'things/t'), thing('t', { size: 3 }, { resourceVersion: old }));
    await s.patch(s.api(THING, 'things/t'), { metadata: { resourceVersion: old }, spec: { size: 4 } });
  },
  'a uid that is not the stored one is a conflict': async (s) => {
    const uid = '11111111-2222-3333-4444-555555555555';
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.put(s.core('configmaps/a'), configMap('a', { b: '2' }, { uid }));
    await s.patch(s.core('configmaps/a'), { metadata: { uid } });
    const made = await s.must('POST', s.api(THING, 'things'), thing('t'));
    const resourceVersion = at(made, 'metadata', 'resourceVersion');
    await s.put(s.api(THING, 'things/t'), thing('t', { size: 2 }, { uid, resourceVersion }));
    await s.patch(s.api(THING, 'things/t'), { metadata: { uid } });
  },
  'a write that changes nothing keeps the version': async (s) => {
    await s.post(s.core('configmaps'), configMap('a'));
    await s.put(s.core('configmaps/a'), configMap('a'));
    await s.patch(s.core('configmaps/a'), {});
    await s.patch(s.core('configmaps/a'), { data: { a: '1' } });
    const made = await s.post(s.api(THING, 'things'), thing('t'));
    await s.put(s.api(THING, 'things/t'), made.body);
    await s.patch(s.api(THING, 'things/t'), { spec: { size: 1 } });
    await s.patch(s.api(THING, 'things/t'), [{ op: 'test', path: '/spec/size', value: 1 }], {
      type: 'application/json-patch+json',
    });
  },
  'what the server owns survives an update': async (s) => {
    await s.post(s.core('configmaps'), configMap('a'));
    const lies = {
      creationTimestamp: '2001-01-01T00:00:00Z',
      generation: 9,
      selfLink: '/x',
      deletionGracePeriodSeconds: 3,
    };
    await s.put(s.core('configmaps/a'), configMap('a', { b: '2' }, lies));
    const made = await s.post(s.api(THING, 'things'), thing('t'));
    const resourceVersion = at(made.body, 'metadata', 'resourceVersion');
    await s.put(s.api(THING, 'things/t'), thing('t', { size: 2 }, { ...lies, resourceVersion }));
    await s.patch(s.api(THING, 'things/t'), {
      metadata: { creationTimestamp: '2001-01-01T00:00:00Z', generation: 77 },
    });
    await s.patch(s.api(THING, 'things/t'), { metadata: { deletionTimestamp: '2001-01-01T00:00:00Z' } });
    await s.patch(s.core('configmaps/a'), { metadata: { deletionTimestamp: '2001-01-01T00:00:00Z' } });
  },
  'generation counts changes of spec only': async (s) => {
    const look = { look: (b: JsonObject) => at(b, 'metadata', 'generation') };
    await s.post(s.api(THING, 'things'), thing('t'), look);
    await s.patch(s.api(THING, 'things/t'), { metadata: { labels: { a: 'b' } } }, look);
    await s.patch(s.api(THING, 'things/t'), { spec: { size: 2 } }, look);
    await s.patch(s.api(THING, 'things/t'), { status: { phase: 'x' } }, look);
    await s.patch(s.api(THING, 'things/t/status'), { status: { phase: 'x' } }, look);
    await s.patch(s.api(THING, 'things/t'), { spec: { mode: 'fast' } }, look);
    await s.patch(s.api(THING, 'things/t'), { metadata: { finalizers: ['a.b/c'] } }, look);
    await s.delete(s.api(THING, 'things/t'), undefined, look);
  },
  'a delete answers a Status with the uid': async (s) => {
    await s.post(s.core('configmaps'), configMap('a'));
    await s.delete(s.core('configmaps/a'));
    await s.delete(s.core('configmaps/a'));
    await s.post(s.api(THING, 'things'), thing('t'));
    await s.delete(s.api(THING, 'things/t'));
  },
  'preconditions of a delete': async (s) => {
    await s.post(s.core('configmaps'), configMap('a'));
    await s.delete(s.core('configmaps/a'), { preconditions: { uid: '11111111-2222-3333-4444-555555555555' } });
    await s.delete(s.core('configmaps/a'), { preconditions: { resourceVersion: '1' } });
    const now = await s.get(s.core('configmaps/a'));
    const uid = at(now.body, 'metadata', 'uid');
    const resourceVersion = at(now.body, 'metadata', 'resourceVersion');
    await s.delete(s.core('configmaps/a'), {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid, resourceVersion },
    });
    await s.post(s.api(THING, 'things'), thing('t'));
    await s.delete(s.api(THING, 'things/t'), { preconditions: { uid: '11111111-2222-3333-4444-555555555555' } });
    await s.delete(s.api(THING, 'things/t'), { preconditions: { resourceVersion: '1' } });
  },
  'options of a delete are checked': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.delete(s.core('configmaps/a'), { propagationPolicy: 'Sideways' });
    await s.delete(s.core('configmaps/a'), { propagationPolicy: 'Orphan', orphanDependents: true });
    await s.delete(s.core('configmaps/a'), { dryRun: ['Some'] });
    await s.delete(`${s.core('configmaps/a')}?dryRun=Some`);
    await s.delete(`${s.core('configmaps/a')}?propagationPolicy=Sideways`);
    await s.delete(s.core('configmaps/a'), { gracePeriodSeconds: -1 }, { look: 'code' });
    await s.get(s.core('configmaps/a'), { look: 'code' });
  },
  'options of a delete may be in the query': async (s) => {
    await s.must('POST', s.core('configmaps'), configMap('a'));
    await s.delete(`${s.core('configmaps/a')}?dryRun=All`);
    await s.delete(`${s.core('configmaps/a')}?gracePeriodSeconds=0&propagationPolicy=Background`);
    await s.get(s.core('configmaps/a'), { look: 'code' });
  },
  'an object with a finalizer is dying until the finalizer is gone': async (s) => {
    const path = s.api(THING, 'things/t');
    await s.post(
      s.api(THING, 'things'),
      thing('t', { size: 1 }, { finalizers: ['test.example/one', 'test.example/two'] }),
    );
    await s.delete(path);
    await s.delete(path);
    await s.patch(path, { spec: { size: 2 } });
    await s.patch(path, { metadata: { finalizers: ['test.example/one', 'test.example/three'] } });
    await s.patch(path, { metadata: { finalizers: ['test.example/two'] } });
    await s.patch(path, { metadata: { finalizers: null } });
    await s.get(path);
  },
  'a ConfigMap with a finalizer is dying until the finalizer is gone': async (s) => {
    const path = s.core('configmaps/a');
    await s.post(s.core('configmaps'), configMap('a', {}, { finalizers: ['test.example/one'] }));
    await s.delete(path);
    await s.delete(path);
    await s.patch(path, { data: { still: 'changes' } });
    await s.post(s.core('configmaps'), configMap('a'));
    await s.put(path, configMap('a'));
    await s.get(path);
  },
  'deletecollection deletes what its selectors choose': async (s) => {
    for (const name of ['a', 'b', 'c'])
      await s.must('POST', s.core('configmaps'), configMap(name, {}, { labels: { set: name === 'c' ? 'y' : 'x' } }));
    await s.delete(`${s.core('configmaps')}?labelSelector=set%3Dx&dryRun=All`, undefined, { look: kindAndNames });
    await s.delete(`${s.core('configmaps')}?labelSelector=set%3Dx`, undefined, { look: kindAndNames });
    await s.get(`${s.core('configmaps')}?labelSelector=set`, { look: kindAndNames });
    await s.delete(`${s.core('configmaps')}?fieldSelector=metadata.name%3Dnone`, undefined, { look: kindAndNames });
    await s.delete(`${s.core('configmaps')}?fieldSelector=metadata.name%3Dc`, undefined, { look: kindAndNames });
    await s.get(`${s.core('configmaps')}?labelSelector=set`, { look: kindAndNames });
    for (const name of ['a', 'b']) await s.must('POST', s.api(THING, 'things'), thing(name));
    await s.delete(s.api(THING, 'things'), undefined, { look: kindAndNames });
    await s.get(s.api(THING, 'things'), { look: kindAndNames });
  },
  'a method that a path has not is not allowed': async (s) => {
    await s.call('POST', s.core('configmaps/a'), configMap('a'));
    await s.call('PUT', s.core('configmaps'), configMap('a'));
    await s.call('PATCH', s.core('configmaps'), {}, { type: 'application/merge-patch+json' });
    await s.call('DELETE', '/api/v1/namespaces');
    await s.call('POST', '/api/v1/configmaps', configMap('a'));
    await s.call('POST', '/version', {});
    await s.call('POST', s.api(THING, 'things/a/status'), thing('a'));
    await s.call('DELETE', s.api(THING, 'things/a/status'));
    await s.call('TRACE', s.core('configmaps/a'), undefined, { look: 'code' });
  },
  'secrets take text and keep bytes': async (s) => {
    await s.post(s.core('secrets'), secret('a', { user: 'me', word: 'secret' }));
    await s.post(s.core('secrets'), { ...secret('b', { k: 'wins' }), data: { k: 'bG9zZXM=', other: 'eA==' } });
    await s.patch(s.core('secrets/a'), { stringData: { user: 'you' } });
    await s.patch(s.core('secrets/a'), { type: 'other' });
    await s.post(s.core('secrets'), secret('c', {}, { type: 'kubernetes.io/tls' }));
    await s.post(s.core('secrets'), secret('d', {}, { type: 'kubernetes.io/basic-auth' }));
    await s.post(
      s.core('secrets'),
      secret('e', { '.dockerconfigjson': 'no json' }, { type: 'kubernetes.io/dockerconfigjson' }),
      { look: 'gist' },
    );
    await s.post(s.core('secrets'), secret('f', {}, { type: 'kubernetes.io/ssh-auth' }));
    await s.post(s.core('secrets'), secret('g', {}, { type: 'kubernetes.io/service-account-token' }));
    await s.post(s.core('secrets'), secret('h', {}, { type: 'cluster.x-k8s.io/secret' }));
  },
  'an immutable ConfigMap or Secret stays as it is': async (s) => {
    await s.post(s.core('configmaps'), { ...configMap('a'), immutable: true });
    await s.patch(s.core('configmaps/a'), { data: { a: '2' } });
    await s.patch(s.core('configmaps/a'), { immutable: false });
    await s.patch(s.core('configmaps/a'), { immutable: null });
    await s.patch(s.core('configmaps/a'), { metadata: { labels: { may: 'change' } } });
    await s.post(s.core('secrets'), secret('a', { k: 'v' }, { immutable: true }));
    await s.patch(s.core('secrets/a'), { stringData: { k: 'w' } });
    await s.patch(s.core('secrets/a'), { immutable: false });
  },
  'keys of ConfigMaps and Secrets are checked': async (s) => {
    await s.post(s.core('configmaps'), configMap('a', { 'bad key': 'x' }));
    await s.post(s.core('configmaps'), configMap('a', { '..': 'x' }));
    await s.post(s.core('configmaps'), configMap('a', { '.': 'x' }));
    await s.post(s.core('configmaps'), configMap('a', { '..data': 'x' }));
    await s.post(s.core('configmaps'), configMap('a', { '': 'x' }));
    await s.post(s.core('configmaps'), configMap('a', { ['k'.repeat(254)]: 'x' }));
    await s.post(s.core('configmaps'), { ...configMap('a', { same: 'x' }), binaryData: { same: 'eA==' } });
    await s.post(s.core('configmaps'), { ...configMap('b', { text: 'x' }), binaryData: { bytes: '/w==' } });
    await s.post(s.core('configmaps'), configMap('a', { big: 'x'.repeat(1_048_577) }), { look: 'gist' });
    await s.post(s.core('secrets'), secret('a', { 'bad key': 'x' }));
    await s.post(s.core('secrets'), secret('a', { big: 'x'.repeat(1_048_577) }), { look: 'gist' });
  },
});
