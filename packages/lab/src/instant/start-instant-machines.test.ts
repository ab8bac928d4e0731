import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findObject, type ObjectClient } from '@bloomery/kube';
import { managedWrites, openStore, startApiEngine } from '@bloomery/kubeapi';
import type { JsonObject, KindRef, KubeObject, ObjectKey } from '@bloomery/model';
import { allKinds, apiVersionOf, cluster, machine, secret } from '@bloomery/model';
import { systemClock as clock, silentLog as log, until } from '@bloomery/ports';
import { createTalosApi } from '@bloomery/talos';
import { createFakeClusterSecrets, type FakeClusterSecrets } from '@bloomery/talos/testing';
import { type Contract, fakeCluster, fakeMachine } from './fake-kinds.ts';
import { ANNOTATION_FAULT } from './fault-annotation.ts';
import { type InstantMachines, startInstantMachines } from './start-instant-machines.ts';

const at = (name: string): ObjectKey => ({ name, namespace: 'default' });
const DEADLINE = { deadlineMs: 20_000 };

interface Lab extends AsyncDisposable {
  readonly client: ObjectClient;
  readonly machines: InstantMachines;
  readonly secrets: FakeClusterSecrets;
  /** A control-plane machine with bootstrap data, as core and the bootstrap provider leave it. */
  makeMachine(name: string): Promise<void>;
}

/** A management cluster without any controllers but the simulation's. */
async function lab(contract: Contract = 'v1beta1'): Promise<Lab> {
  await using cleanup = new AsyncDisposableStack();
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-instant-test-'));
  cleanup.defer(() => rmSync(dir, { recursive: true, force: true }));
  const store = openStore({ dir, clock, log, random: randomBytes });
  cleanup.defer(() => store.close());
  const base = { clock, log, random: randomBytes };
  const engine = await startApiEngine({ ...base, store, kinds: allKinds, fields: managedWrites });
  cleanup.defer(() => engine.stop());
  const { client } = engine;
  const machines = cleanup.use(await startInstantMachines({ contract }, { ...base, client }));
  const owner = await make(client, cluster, 'one', { spec: {} });
  await make(client, fakeCluster, 'one', { spec: {} }, { ownerReferences: [ownerOf(owner, cluster)] });
  const served = await until('an endpoint', () => endpointOf(client), DEADLINE);
  const secrets = await createFakeClusterSecrets(`https://${served.host}:${served.port}`);
  const owned = cleanup.move();
  return {
    client,
    machines,
    secrets,
    makeMachine: async (name) => {
      const value = Buffer.from(secrets.config('controlplane')).toString('base64');
      await make(client, secret, `${name}-data`, { data: { value } });
      const infrastructureRef = { apiVersion: apiVersionOf(fakeMachine), kind: fakeMachine.kind, name };
      const bootstrap = { dataSecretName: `${name}-data` };
      const made = await make(client, machine, name, { spec: { clusterName: 'one', bootstrap, infrastructureRef } });
      const labels = { 'cluster.x-k8s.io/cluster-name': 'one' };
      await make(client, fakeMachine, name, { spec: {} }, { labels, ownerReferences: [ownerOf(made, machine)] });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function endpointOf(client: ObjectClient) {
  const found = await client.get(fakeCluster, at('one'));
  const { host, port } = found.spec?.controlPlaneEndpoint ?? {};
  const isReady = found.status?.ready === true || found.status?.initialization?.provisioned === true;
  return isReady && host !== undefined && port !== undefined ? { host, port } : undefined;
}

function make(
  client: ObjectClient,
  kind: KindRef,
  name: string,
  body: JsonObject,
  metadata: JsonObject = {},
): Promise<KubeObject> {
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { ...at(name), ...metadata }, ...body };
  return client.create(kind, object as unknown as KubeObject);
}

function ownerOf({ metadata }: KubeObject, kind: KindRef): JsonObject {
  const { name, uid = '' } = metadata;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, uid, controller: true };
}

const machineOf = (client: ObjectClient, name: string) => findObject(client, fakeMachine, at(name));

describe('instant machines', () => {
  it('answer at the address that the provider tells, as soon as there is bootstrap data', async () => {
    await using use = await lab();
    await use.makeMachine('cp-1');
    const ready = await until(
      'a ready machine',
      async () => {
        const found = await machineOf(use.client, 'cp-1');
        return found?.status?.ready === true && found;
      },
      DEADLINE,
    );
    assert.equal(ready.spec?.providerID, 'fake://cp-1');
    const address = ready.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '';
    assert.match(address, /^127\./);
    await using api = createTalosApi({ clock });
    assert.equal(await api.node(address, await use.secrets.credentials()).hostname(), 'cp-1');
  });

  it('speak the other contract when told so', async () => {
    await using use = await lab('v1beta2');
    await use.makeMachine('cp-1');
    await until(
      'a provisioned machine',
      async () => {
        const { status } = (await machineOf(use.client, 'cp-1')) ?? {};
        return status?.initialization?.provisioned === true && status.ready === undefined;
      },
      DEADLINE,
    );
  });

  it('are broken and mended by an annotation', async () => {
    await using use = await lab();
    await use.makeMachine('cp-1');
    const simulated = await until(
      'the machine',
      () => use.machines.world.cluster(at('one'))?.machines.get('cp-1'),
      DEADLINE,
    );
    const say = (fault: string | null) =>
      use.client.patch(fakeMachine, at('cp-1'), {
        type: 'merge',
        body: { metadata: { annotations: { [ANNOTATION_FAULT]: fault } } },
      });
    await say('dead');
    await until('it is off', () => !simulated.isOn, DEADLINE);
    await say(null);
    await until('it is on', () => simulated.isOn, DEADLINE);
  });

  it('are gone when their objects are, and the cluster goes after them', async () => {
    await using use = await lab();
    await use.makeMachine('cp-1');
    await until('the machine', () => use.machines.world.cluster(at('one'))?.machines.has('cp-1'), DEADLINE);
    await use.client.delete(fakeCluster, at('one'));
    assert.notEqual(await findObject(use.client, fakeCluster, at('one')), undefined);
    await use.client.delete(fakeMachine, at('cp-1'));
    const isGone = async () => (await findObject(use.client, fakeCluster, at('one'))) === undefined;
    await until('nothing is left', isGone, DEADLINE);
    assert.deepEqual(use.machines.world.clusters(), []);
  });
});
