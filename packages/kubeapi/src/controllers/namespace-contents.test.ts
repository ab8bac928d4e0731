import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLog, systemClock } from '@bloomery/ports';
import { type JsonCaller, jsonCaller, part } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { publishApiService } from './api-service.ts';
import { rootCertificates, startNamespaceContents } from './namespace-contents.ts';

const NAMESPACES = '/api/v1/namespaces';

describe('what every namespace has', () => {
  let api: TestApi;
  let call: JsonCaller;
  let pem = 'CERTIFICATE 1';
  let certificates: ReturnType<typeof startNamespaceContents>;
  before(async () => {
    api = await startTestApi();
    call = jsonCaller(api);
    certificates = startNamespaceContents(
      { ...api.engine, clock: systemClock, log: silentLog },
      rootCertificates(() => pem),
    );
  });
  after(async () => {
    certificates.stop();
    await api[Symbol.asyncDispose]();
  });
  const settle = async (): Promise<void> => {
    await api.engine.idle();
    await certificates.idle();
    await api.engine.idle();
  };
  const codeOf = async (path: string): Promise<number> => (await call('GET', path)).code;

  for (const namespace of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
    it(`a default service account and the root certificate are in ${namespace}`, async () => {
      await settle();
      assert.equal(await codeOf(`${NAMESPACES}/${namespace}/serviceaccounts/default`), 200);
      const { body } = await call('GET', `${NAMESPACES}/${namespace}/configmaps/kube-root-ca.crt`);
      assert.deepEqual(body['data'], { 'ca.crt': 'CERTIFICATE 1' });
    });
  }

  it('also those that are made later, and again when they are deleted', async () => {
    await call('POST', NAMESPACES, { metadata: { name: 'later' } });
    await settle();
    assert.equal(await codeOf(`${NAMESPACES}/later/serviceaccounts/default`), 200);
    await call('DELETE', `${NAMESPACES}/later/serviceaccounts/default`);
    await call('DELETE', `${NAMESPACES}/later/configmaps/kube-root-ca.crt`);
    await settle();
    assert.equal(await codeOf(`${NAMESPACES}/later/serviceaccounts/default`), 200);
    assert.equal(await codeOf(`${NAMESPACES}/later/configmaps/kube-root-ca.crt`), 200);
  });

  it('a changed certificate is set right, other members are let be', async () => {
    const path = `${NAMESPACES}/default/configmaps/kube-root-ca.crt`;
    pem = 'CERTIFICATE 2';
    const patch = { metadata: { labels: { mine: 'yes' } }, data: { 'ca.crt': 'forged' } };
    await call('PATCH', path, patch, 'application/merge-patch+json');
    await settle();
    const { body } = await call('GET', path);
    assert.deepEqual(body['data'], { 'ca.crt': 'CERTIFICATE 2' });
    assert.deepEqual(part(body, 'metadata', 'labels'), { mine: 'yes' });
  });

  it('but none that ends keeps them alive', async () => {
    await call('POST', NAMESPACES, { metadata: { name: 'ending' } });
    await settle();
    await call('DELETE', `${NAMESPACES}/ending`);
    await settle();
    assert.equal(await codeOf(`${NAMESPACES}/ending`), 404);
  });
});

describe('where the API answers', () => {
  it('is written down as the Service kubernetes, and nothing is written again', async () => {
    await using api = await startTestApi();
    const call = jsonCaller(api);
    await publishApiService(api.engine, { host: '192.0.2.1', port: 6443 });
    const service = await call('GET', `${NAMESPACES}/default/services/kubernetes`);
    assert.deepEqual(part(service.body, 'spec', 'ports'), [
      { name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 },
    ]);
    const slices = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';
    assert.equal(part((await call('GET', slices)).body, 'addressType'), 'IPv4');
    const { revision } = api.engine.store;
    await publishApiService(api.engine, { host: '192.0.2.1', port: 6443 });
    assert.equal(api.engine.store.revision, revision);
  });

  it('has no endpoints when it is known by a name', async () => {
    await using api = await startTestApi();
    const call = jsonCaller(api);
    await publishApiService(api.engine, { host: 'plane.test', port: 6443 });
    assert.equal((await call('GET', `${NAMESPACES}/default/endpoints/kubernetes`)).code, 404);
    assert.equal((await call('GET', `${NAMESPACES}/default/services/kubernetes`)).code, 200);
  });
});
