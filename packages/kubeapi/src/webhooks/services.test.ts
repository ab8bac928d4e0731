import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { MAPS, startWebhookLab, type WebhookLab } from '../testing/webhook-lab.ts';

const CORE = '/api/v1/namespaces/default';
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';

describe('a webhook behind a Service', () => {
  let lab: WebhookLab;
  before(async () => {
    lab = await startWebhookLab(['hook.default.svc']);
    lab.hooks.on('/allow', () => ({ allowed: true }));
  });
  afterEach(async () => {
    await lab.reset();
    await lab.call('DELETE', `${CORE}/services/hook`);
    await lab.call('DELETE', `${CORE}/endpoints/hook`);
    await lab.call('DELETE', SLICES);
  });
  after(() => lab[Symbol.asyncDispose]());

  let count = 0;
  async function write(service: JsonObject = {}) {
    const clientConfig = {
      service: { namespace: 'default', name: 'hook', path: '/allow', ...service },
      caBundle: lab.hooks.caBundle,
    };
    await lab.configure('validating', [lab.hook('/allow', { clientConfig, timeoutSeconds: 5 })]);
    return lab.call('POST', MAPS, { metadata: { name: `behind-${count++}` } });
  }
  const service = (spec: JsonObject) => lab.call('POST', `${CORE}/services`, { metadata: { name: 'hook' }, spec });
  const endpoints = (port: number, name?: string) =>
    lab.call('POST', `${CORE}/endpoints`, {
      metadata: { name: 'hook' },
      subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port, ...(name === undefined ? {} : { name }) }] }],
    });
  const slice = (name: string, port: number, ready = true) =>
    lab.call('POST', SLICES, {
      metadata: { name, labels: { 'kubernetes.io/service-name': 'hook' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready } }],
      ports: [{ name: 'https', port }],
    });

  it('is found through Endpoints, and must have a certificate for NAME.NAMESPACE.svc', async () => {
    await service({ ports: [{ port: 443 }] });
    assert.equal((await endpoints(lab.hooks.port)).code, 201);
    const { code, message } = await write();
    assert.equal(code, 201, message);
    assert.equal(lab.hooks.seen('/allow').length, 1);
  });

  it('is found through Endpoints alone', async () => {
    await endpoints(lab.hooks.port);
    assert.equal((await write()).code, 201);
  });

  it('is found through EndpointSlices, by the name of its port and where it is ready', async () => {
    await service({
      ports: [
        { name: 'other', port: 80 },
        { name: 'https', port: 8443 },
      ],
    });
    assert.equal((await slice('down', 1, false)).code, 201);
    assert.equal((await slice('up', lab.hooks.port)).code, 201);
    const { code, message } = await write({ port: 8443 });
    assert.equal(code, 201, message);
  });

  it('is found at another address when the first does not answer', async () => {
    await service({ ports: [{ name: 'https', port: 443 }] });
    await slice('a', 1);
    await slice('b', lab.hooks.port);
    for (const _ of [1, 2]) {
      const { code, message } = await write();
      assert.equal(code, 201, message);
      await lab.reset();
    }
  });

  it('is found by its external name, whose certificate must still be that of the Service', async () => {
    await service({ type: 'ExternalName', externalName: 'localhost' });
    const { code, message } = await write({ port: lab.hooks.port });
    assert.equal(code, 201, message);
  });

  it('is refused with a certificate for another name', async () => {
    await lab.call('POST', `${CORE}/endpoints`, {
      metadata: { name: 'liar' },
      subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: lab.hooks.port }] }],
    });
    const { code, message } = await write({ name: 'liar' });
    assert.equal(code, 500);
    assert.match(
      message,
      /Post "https:\/\/liar\.default\.svc:443\/allow\?timeout=5s": tls: failed to verify certificate/,
    );
  });

  it('that nothing leads to stops the write, and the message says what to do', async () => {
    const advice =
      "nothing runs Pods here: let the webhook's clientConfig carry a url, or create Endpoints default/hook with the address and port of the process";
    const post =
      'Internal error occurred: failed calling webhook "hook.test.dev": failed to call webhook: Post "https://hook.default.svc:443/allow?timeout=5s": ';
    assert.equal((await write()).message, `${post}service "hook" not found; ${advice}`);
    await lab.reset();
    await service({ ports: [{ port: 443 }], selector: { app: 'hook' } });
    assert.equal((await write()).message, `${post}no endpoints available for service "hook"; ${advice}`);
    await lab.reset();
    await service({ ports: [{ port: 443 }] });
    assert.match((await write({ port: 99 })).message, /no service port 99 found for service "hook"$/);
  });
});
