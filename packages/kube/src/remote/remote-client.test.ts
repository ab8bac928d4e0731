import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  configMap,
  type Json,
  type JsonObject,
  type KindRef,
  type KubeObject,
  parseJson,
  server,
} from '@bloomery/model';
import { BloomeryError, isBloomeryError } from '@bloomery/ports';
import type { Patch, WriteOptions } from '../object-client.ts';
import { createMemoryClient } from '../testing/memory-client.ts';
import { objectClientConformance } from '../testing/object-client-conformance.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import { createRemoteClient } from './remote-client.ts';

/** An API server just good enough to speak the protocol, over the in-memory client. */
function apiOver(memory: ReturnType<typeof createMemoryClient>) {
  const patchType = (contentType: string | undefined): Patch['type'] =>
    contentType?.includes('json-patch') ? 'json' : contentType?.includes('apply') ? 'apply' : 'merge';
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<Json | undefined> => {
    const url = new URL(request.url ?? '', 'http://x');
    const parts = url.pathname.split('/').slice(1);
    const at = parts[0] === 'api' ? 2 : 3;
    const namespaced = parts[at] === 'namespaces';
    const namespace = namespaced ? parts[at + 1] : undefined;
    const [plural, name, subresource] = parts.slice(namespaced ? at + 2 : at);
    const kind: KindRef = plural === 'servers' ? server : configMap;
    const key = { name: name ?? '', ...(namespace === undefined ? {} : { namespace }) };
    const query = (field: string): string | undefined => url.searchParams.get(field) ?? undefined;
    const text = await new Promise<string>((resolve) => {
      let all = '';
      request.on('data', (chunk) => {
        all += chunk;
      });
      request.on('end', () => resolve(all));
    });
    const body = text === '' ? undefined : (parseJson(text) as JsonObject);
    const options = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(query('labelSelector') === undefined ? {} : { labels: `${query('labelSelector')}` }),
      ...(query('fieldSelector') === undefined ? {} : { fields: `${query('fieldSelector')}` }),
      ...(query('resourceVersion') === undefined ? {} : { resourceVersion: `${query('resourceVersion')}` }),
    };
    const write: WriteOptions = {
      ...(subresource === 'status' ? { subresource: 'status' } : {}),
      ...(query('dryRun') === 'All' ? { dryRun: true } : {}),
    };
    if (query('watch') === 'true') {
      const abort = new AbortController();
      response.on('close', () => abort.abort());
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      try {
        for await (const event of memory.watch(kind, { ...options, signal: abort.signal })) {
          response.write(`${JSON.stringify(event)}\n`);
        }
      } catch (error) {
        const { facts } = error as BloomeryError;
        response.write(`${JSON.stringify({ type: 'ERROR', object: facts['status'] })}\n`);
      }
      response.end();
      return undefined;
    }
    if (request.method === 'GET' && name === undefined) {
      const limit = query('limit');
      const next = query('continue');
      const list = await memory.list(kind, {
        ...options,
        ...(limit === undefined ? {} : { limit: Number(limit) }),
        ...(next === undefined ? {} : { continue: next }),
      });
      const items = list.items.map(({ apiVersion: _a, kind: _k, ...rest }) => rest);
      const metadata = { resourceVersion: list.resourceVersion, continue: list.continue };
      return { kind: `${kind.kind}List`, metadata, items: items as unknown as Json };
    }
    const object = body as unknown as KubeObject;
    if (request.method === 'GET') return (await memory.get(kind, key)) as unknown as Json;
    if (request.method === 'POST') return (await memory.create(kind, object, write)) as unknown as Json;
    if (request.method === 'PUT') return (await memory.update(kind, object, write)) as unknown as Json;
    if (request.method === 'PATCH') {
      const patch = { type: patchType(request.headers['content-type']), body } as Patch;
      return (await memory.patch(kind, key, patch, write)) as unknown as Json;
    }
    const preconditions = (body?.['preconditions'] ?? {}) as { uid?: string };
    await memory.delete(kind, key, preconditions);
    return { kind: 'Status', status: 'Success' };
  };
  return createServer((request, response) => {
    answer(request, response).then(
      (value) => value !== undefined && response.end(JSON.stringify(value)),
      (error) => {
        const status = (error as BloomeryError).facts['status'] as { code: number };
        response.writeHead(status.code).end(JSON.stringify(status));
      },
    );
  });
}

describe('the remote client', () => {
  const memory = createMemoryClient();
  const api = apiOver(memory);
  let address = '';
  before(async () => {
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
  });
  after(() => {
    api.closeAllConnections();
    api.close();
  });
  const cases = objectClientConformance(() => createRemoteClient({ server: address, namespace: 'default' }));
  for (const { name, run } of cases) it(name, run);

  it('tells an expired watch from other failures', async () => {
    memory.expireHistory();
    await using client = createRemoteClient({ server: address, namespace: 'default' });
    const watch = async (): Promise<void> => {
      const signal = AbortSignal.timeout(10_000);
      for await (const event of client.watch(server, { resourceVersion: '1', signal })) assert.fail(event.type);
    };
    await assert.rejects(watch, (error) => isBloomeryError(error, 'BLM_API_EXPIRED'));
  });

  it('says which server cannot be reached', async () => {
    await using client = createRemoteClient({ server: 'http://127.0.0.1:1', namespace: 'default' });
    await assert.rejects(client.get(server, { name: 'a' }), (error) => {
      assert.ok(isBloomeryError(error, 'BLM_API_UNAVAILABLE'));
      assert.match(error.message, /GET http:\/\/127\.0\.0\.1:1\/apis\/metal/);
      return error.retryable;
    });
  });
});

describe('loadKubeconfig', () => {
  const write = async (body: string): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'bloomery-kubeconfig-'));
    after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'ca.pem'), 'CA');
    await writeFile(join(folder, 'config'), body);
    return join(folder, 'config');
  };
  const config = `
apiVersion: v1
kind: Config
current-context: one
contexts:
- name: one
  context: {cluster: c, user: u, namespace: metal}
- name: plugin
  context: {cluster: c, user: p}
clusters:
- name: c
  cluster: {server: "https://10.0.0.1:6443/", certificate-authority: ca.pem}
users:
- name: u
  user: {token: secret, client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
- name: p
  user: {exec: {command: x}}
`;

  it('reads the current context with its data and files', async () => {
    assert.deepEqual(await loadKubeconfig(await write(config)), {
      server: 'https://10.0.0.1:6443',
      ca: 'CA',
      cert: 'CERT',
      key: 'KEY',
      token: 'secret',
      namespace: 'metal',
    });
  });

  const refused: [name: string, body: string, context: string | undefined, message: RegExp][] = [
    ['an unknown context', config, 'two', /no context two/],
    ['a credential plugin', config, 'plugin', /credential plugin/],
    ['what is no YAML', '{', undefined, /reading kubeconfig/],
    ['what is no kubeconfig', '[]', undefined, /not a kubeconfig/],
  ];
  for (const [name, body, context, message] of refused) {
    it(`refuses ${name}`, async () => {
      const file = await write(body);
      await assert.rejects(loadKubeconfig(file, context), (error) => {
        assert.ok(error instanceof BloomeryError && error.code === 'BLM_KUBECONFIG_INVALID');
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
