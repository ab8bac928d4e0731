import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ObjectCache, ReconcileContext } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import {
  type Cluster,
  cluster,
  type KubeObject,
  type Machine,
  machine,
  secret,
  type TalosConfig,
  talosConfig,
} from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { readSecretsBundle, readYaml, talosJson } from '@bloomery/talos';
import { createTalosConfigController } from './index.ts';

const KEY = { name: 'cp-0', namespace: 'default' };
type Spec = NonNullable<TalosConfig['spec']>;

interface World {
  readonly client: MemoryClient;
  readonly events: string[];
  readonly reconcile: () => Promise<void>;
}

interface WorldOptions {
  readonly machineSpec?: Partial<NonNullable<Machine['spec']>>;
  readonly infrastructureReady?: boolean;
  readonly intercept?: Parameters<typeof createMemoryClient>[0] extends infer O
    ? O extends { intercept?: infer I }
      ? I
      : never
    : never;
}

async function world(spec: Spec, options: WorldOptions = {}): Promise<World> {
  const clock = createFakeClock(Date.UTC(2026, 0, 2));
  const owner = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name: 'cp-0', uid: 'm-uid' };
  const config: TalosConfig = {
    apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1',
    kind: 'TalosConfig',
    metadata: { ...KEY, ownerReferences: [owner] },
    spec,
  };
  const owned: Machine = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Machine',
    metadata: { ...KEY, labels: { 'cluster.x-k8s.io/control-plane': '' } },
    spec: {
      clusterName: 'blue',
      bootstrap: { configRef: { kind: 'TalosConfig', name: 'cp-0' } },
      infrastructureRef: { kind: 'MetalMachine', name: 'metal-0' },
      version: 'v1.32.3',
      ...options.machineSpec,
    },
    status: { addresses: [{ type: 'InternalIP', address: '10.5.0.2' }] },
  };
  const whole: Cluster = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Cluster',
    metadata: { name: 'blue', namespace: 'default' },
    spec: {
      controlPlaneEndpoint: { host: '10.5.0.10', port: 6443 },
      clusterNetwork: { pods: { cidrBlocks: ['10.1.0.0/16'] } },
    },
    status: { infrastructureReady: options.infrastructureReady ?? true },
  };
  const objects = [
    { kind: talosConfig, object: config },
    { kind: machine, object: owned },
    { kind: cluster, object: whole },
  ];
  const client = createMemoryClient({
    clock,
    objects,
    ...(options.intercept === undefined ? {} : { intercept: options.intercept }),
  });
  const events: string[] = [];
  const cache: ObjectCache = {
    get: () => undefined,
    list: <T extends KubeObject>(kind: { readonly kind: string }) =>
      kind.kind === 'Machine' ? [owned as unknown as T] : [],
  };
  const context: ReconcileContext = {
    client,
    cache,
    clock,
    log: silentLog,
    signal: new AbortController().signal,
    events: { record: (_about, event) => events.push(event.reason) },
  };
  const controller = createTalosConfigController({ random: (n) => randomBytes(n) });
  return { client, events, reconcile: async () => void (await controller.reconcile(KEY, context)) };
}

const textOf = async (client: MemoryClient, name: string, key: string): Promise<string> =>
  Buffer.from((await client.get(secret, { name, namespace: 'default' })).data?.[key] ?? '', 'base64').toString();

const GIVEN = 'version: v1alpha1\nmachine:\n  type: worker\n  token: a.b\n';

describe('a TalosConfig with generateType none', () => {
  it('gives its data, patched and checked, as bootstrap data', async () => {
    const { client, reconcile, events } = await world({
      generateType: 'none',
      data: GIVEN,
      configPatches: [{ op: 'add', path: '/machine/network', value: { hostname: 'json' } }],
      strategicPatches: ['machine:\n  network:\n    hostname: strategic\n'],
    });
    await reconcile();
    const [document] = readYaml(await textOf(client, 'cp-0-bootstrap-data', 'value')).map(talosJson);
    assert.deepEqual(document, {
      version: 'v1alpha1',
      machine: { type: 'worker', token: 'a.b', certSANs: [], network: { hostname: 'strategic' } },
      cluster: null,
    });
    const { status } = await client.get(talosConfig, KEY);
    assert.equal(status?.initialization?.dataSecretCreated, true);
    assert.equal(status?.dataSecretName, 'cp-0-bootstrap-data');
    assert.deepEqual(
      status?.conditions?.map((c) => `${c.type} ${c.status} ${c.reason}`),
      ['Ready True Available', 'ConfigValid False ConfigInvalid', 'DataSecretAvailable True Available'],
    );
    assert.deepEqual(events, ['ConfigInvalid', 'DataSecretCreated']);
    await assert.rejects(client.get(secret, { name: 'blue-ca', namespace: 'default' }), { code: 'BLM_API_NOT_FOUND' });
  });

  it('that Talos would refuse says why in its conditions and never quotes values', async () => {
    const { client, reconcile, events } = await world({ generateType: 'none', data: `${GIVEN}  tokens: hunter2\n` });
    await reconcile();
    const { status } = await client.get(talosConfig, KEY);
    const condition = status?.conditions?.find((c) => c.type === 'DataSecretAvailable');
    assert.equal(condition?.reason, 'InternalError');
    assert.equal(
      condition?.message,
      'Data secret generation failed: TalosConfig default/cp-0: reading spec.data: document 1, /v1alpha1: machine.tokens (line 5): unknown key; unknown keys found during decoding:\nmachine:\n    tokens: "******"',
    );
    assert.equal(status?.deprecated?.v1beta?.conditions?.[0]?.reason, 'DataSecretGenerationFailed');
    assert.deepEqual(events, ['DataSecretGenerationFailed']);
  });
});

describe('a TalosConfig that generates', () => {
  it('makes the secrets of the cluster once and the configuration for its machine', async () => {
    const { client, reconcile } = await world({
      generateType: 'controlplane',
      talosVersion: 'v1.11',
      hostname: { source: 'MachineName' },
    });
    await reconcile();
    const bundle = await textOf(client, 'blue-talos', 'bundle');
    assert.deepEqual(readSecretsBundle(bundle).problems, []);
    const value = await textOf(client, 'cp-0-bootstrap-data', 'value');
    assert.match(value, /hostname: cp-0\n/);
    assert.match(value, /endpoint: https:\/\/10\.5\.0\.10:6443\n/);
    assert.match(value, /10\.1\.0\.0\/16/);
    assert.match(await textOf(client, 'blue-ca', 'tls.key'), /BEGIN EC PRIVATE KEY/);
    await reconcile();
    assert.match(await textOf(client, 'blue-talosconfig', 'talosconfig'), /"?10\.5\.0\.2"?/);
    const before = client.revision();
    await reconcile();
    assert.equal(client.revision(), before, 'a steady state writes nothing');
    assert.equal(await textOf(client, 'blue-talos', 'bundle'), bundle);
    assert.equal(await textOf(client, 'cp-0-bootstrap-data', 'value'), value);
  });

  it('puts the host name of Talos 1.12 into a document of its own, after the patches of the user', async () => {
    const { client, reconcile, events } = await world({
      generateType: 'worker',
      talosVersion: 'v1.12',
      hostname: { source: 'InfrastructureName' },
      configPatches: [{ op: 'add', path: '/machine/install/disk', value: '/dev/vda' }],
    });
    await reconcile();
    const documents = readYaml(await textOf(client, 'cp-0-bootstrap-data', 'value')).map(talosJson);
    assert.deepEqual(documents[1], {
      apiVersion: 'v1alpha1',
      kind: 'HostnameConfig',
      auto: 'off',
      hostname: 'metal-0',
    });
    assert.deepEqual(events, ['SecretsCreated', 'ConfigNote', 'DataSecretCreated']);
  });

  it('waits for the infrastructure of its cluster and says so', async () => {
    const { client, reconcile, events } = await world({ generateType: 'worker' }, { infrastructureReady: false });
    await reconcile();
    await reconcile();
    const { status } = await client.get(talosConfig, KEY);
    assert.equal(status?.conditions?.[0]?.message, 'the infrastructure of Cluster blue is not ready');
    assert.equal(status?.deprecated?.v1beta?.conditions?.[0]?.reason, 'WaitingForClusterInfrastructure');
    assert.deepEqual(events, ['WaitingForClusterInfrastructure']);
  });

  it('never generates again for a machine that has its data already', async () => {
    const { client, reconcile } = await world(
      { generateType: 'worker' },
      { machineSpec: { bootstrap: { dataSecretName: 'moved' } } },
    );
    await reconcile();
    assert.equal((await client.get(talosConfig, KEY)).status?.dataSecretName, 'moved');
    assert.equal((await client.list(secret)).items.length, 0);
  });

  it('converges when it is killed at every call it makes, without changing what was written', async () => {
    for (let dieAt = 1; dieAt < 40; dieAt++) {
      let calls = 0;
      const seen = new Map<string, string>();
      const { client, reconcile } = await world(
        { generateType: 'controlplane', talosVersion: 'v1.6' },
        {
          intercept: () => {
            calls += 1;
            if (calls === dieAt) throw new Error('killed');
          },
        },
      );
      await reconcile().catch(() => undefined);
      const done = calls < dieAt;
      calls = 1_000;
      for (const { metadata, data } of (await client.list(secret)).items) seen.set(metadata.name, JSON.stringify(data));
      await reconcile();
      await reconcile();
      assert.equal((await client.get(talosConfig, KEY)).status?.initialization?.dataSecretCreated, true);
      for (const [name, data] of seen) {
        assert.equal(JSON.stringify((await client.get(secret, { name, namespace: 'default' })).data), data);
      }
      if (done) return;
    }
    assert.fail('a reconcile makes fewer calls than that');
  });
});
