// What programs do with the JavaScript client of Kubernetes: typed and generic calls, patches, apply, informer, errors.
// usage: main.js KUBECONFIG. Prints one JSON line for each step, in order; exits 1 at the first that fails.
import { EventEmitter, once } from 'node:events';
import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
} from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromFile(process.argv[2]);
const core = config.makeApiClient(CoreV1Api);
const custom = config.makeApiClient(CustomObjectsApi);
const objects = KubernetesObjectApi.makeApiClient(config);
const say = (step, seen) => process.stdout.write(`${JSON.stringify({ step, seen })}\n`);

const namespace = 'default';
const map = (name, data) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { by: 'js' } },
  data,
});

const informer = makeInformer(
  config,
  `/api/v1/namespaces/${namespace}/configmaps`,
  () => core.listNamespacedConfigMap({ namespace, labelSelector: 'by=js' }),
  'by=js',
);
const seen = [];
const news = new EventEmitter();
for (const type of ['add', 'update', 'delete'])
  informer.on(type, (object) => {
    seen.push(`${type} ${object.metadata.name} ${object.data?.a ?? ''}`.trim());
    news.emit('seen');
  });
// Stopping it ends its request, which it tells as an error.
informer.on('error', (error) => error.name === 'AbortError' || say('informer error', String(error)));
const until = async (line) => {
  while (!seen.includes(line)) await once(news, 'seen');
};

await core.createNamespacedConfigMap({ namespace, body: map('one', { a: '1' }) });
await informer.start();
await until('add one 1');
say(
  'informer',
  informer.list().map((object) => object.metadata.name),
);

const merge = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
const patched = await core.patchNamespacedConfigMap({ namespace, name: 'one', body: { data: { a: '2' } } }, merge);
say('merge patch', patched.data);
await until('update one 2');

const applied = await objects.patch(
  map('two', { a: '3' }),
  undefined,
  undefined,
  'js',
  true,
  PatchStrategy.ServerSideApply,
);
say('apply', [applied.data, applied.metadata.managedFields.map((entry) => `${entry.manager} ${entry.operation}`)]);
await until('add two 3');

const stale = await core.readNamespacedConfigMap({ namespace, name: 'one' });
await core.replaceNamespacedConfigMap({ namespace, name: 'one', body: { ...stale, data: { a: '4' } } });
await core.replaceNamespacedConfigMap({ namespace, name: 'one', body: { ...stale, data: { a: '5' } } }).then(
  () => say('conflict', 'none'),
  (error) => say('conflict', [error.code, JSON.parse(error.body).reason]),
);

const group = { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' };
const definitions = await custom.listClusterCustomObject({ ...group, limit: 1 });
say('page of custom objects', [definitions.items.length, typeof definitions.metadata.continue]);

const secret = await core.createNamespacedSecret({
  namespace,
  body: { metadata: { generateName: 'js-' }, stringData: { k: 'v' } },
});
say('secret', [secret.data, secret.metadata.name.length]);

for (const name of ['one', 'two']) await core.deleteNamespacedConfigMap({ namespace, name });
await until('delete one 4');
await until('delete two 3');
await core
  .readNamespacedConfigMap({ namespace, name: 'one' })
  .catch((error) => say('gone', [error.code, JSON.parse(error.body).message]));
await informer.stop();
say('done', seen);
process.exit(0);
