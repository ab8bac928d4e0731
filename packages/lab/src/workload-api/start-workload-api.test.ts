import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRemoteClient, type RemoteClient } from '@bloomery/kube';
import { node, secret } from '@bloomery/model';
import { isBloomeryError, silentLog, systemClock } from '@bloomery/ports';
import {
  createSecretsBundle,
  issueCertificate,
  loadCertificateAuthority,
  parseVersionContract,
  type SecretsBundle,
} from '@bloomery/talos';
import { startWorkloadApi, type WorkloadApi } from './start-workload-api.ts';

const deps = { clock: systemClock, log: silentLog, random: (n: number) => randomBytes(n) };
const registered = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'm1', labels: { 'metal.sidero.dev/uuid': 'u-1' } },
} as const;

describe('the API of a workload cluster', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-workload-'));
  let bundle: SecretsBundle;
  let api: WorkloadApi;
  const clients: RemoteClient[] = [];
  const start = (): Promise<WorkloadApi> =>
    startWorkloadApi(
      {
        dir,
        listen: { host: '127.0.0.1', port: 0 },
        names: ['127.0.0.1'],
        ca: bundle.kubernetes,
        serviceAccountKey: bundle.serviceAccountKey,
        bootstrapToken: bundle.bootstrapToken,
      },
      deps,
    );
  const connect = (credentials: { readonly token?: string; readonly cert?: string; readonly key?: string }) => {
    const { port } = api.address;
    const access = { server: `https://127.0.0.1:${port}`, ca: bundle.kubernetes.crt, namespace: 'default' };
    const client = createRemoteClient({ ...access, ...credentials });
    clients.push(client);
    return client;
  };
  const asMachine = (): RemoteClient => connect({ token: bundle.bootstrapToken });
  const asAdmin = async (): Promise<RemoteClient> => {
    const authority = loadCertificateAuthority(bundle.kubernetes.crt, bundle.kubernetes.key);
    const { certificatePem, keyPem } = await issueCertificate(authority, {
      subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 60_000),
      extendedKeyUsages: ['clientAuth'],
    });
    return connect({ cert: certificatePem, key: keyPem });
  };

  before(async () => {
    bundle = await createSecretsBundle({
      contract: parseVersionContract('v1.6'),
      nowMs: Date.now(),
      random: deps.random,
    });
    api = await start();
  });
  after(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await api?.[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  it('lets a machine with the bootstrap token register its Node', async () => {
    const created = await asMachine().create(node, registered);
    assert.equal(created.metadata.labels?.['metal.sidero.dev/uuid'], 'u-1');
  });
  it('lets that machine tell how its Node is', async () => {
    const body = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    const told = await asMachine().patch(node, { name: 'm1' }, { type: 'merge', body }, { subresource: 'status' });
    assert.equal(told.status?.conditions?.[0]?.status, 'True');
  });
  it('keeps Secrets from who has only the bootstrap token', async () => {
    const refused = asMachine().list(secret);
    await assert.rejects(refused, (error) => isBloomeryError(error, 'BLM_API_FORBIDDEN'));
  });
  it('refuses another token', async () => {
    const refused = connect({ token: 'abcdef.0123456789abcdef' }).list(node);
    await assert.rejects(refused, (error) => isBloomeryError(error, 'BLM_API_UNAUTHORIZED'));
  });
  it('lets who has a certificate of system:masters do everything', async () => {
    const admin = await asAdmin();
    const body = { spec: { providerID: 'sidero://u-1' } };
    const patched = await admin.patch(node, { name: 'm1' }, { type: 'merge', body });
    assert.equal(patched.spec?.providerID, 'sidero://u-1');
    assert.ok((await admin.list(secret, { namespace: 'kube-system' })).items.length >= 0);
  });
  it('has its objects again after a restart', async () => {
    await api[Symbol.asyncDispose]();
    api = await start();
    const again = await asMachine().get(node, { name: 'm1' });
    assert.equal(again.spec?.providerID, 'sidero://u-1');
  });
});
