import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createRemoteClient, parseKubeconfig } from '@bloomery/kube';
import { node } from '@bloomery/model';
import { systemClock as clock, isBloomeryError, silentLog as log, until } from '@bloomery/ports';
import { createTalosApi, type TalosApi, type TalosCredentials } from '@bloomery/talos';
import { createFakeClusterSecrets } from '@bloomery/talos/testing';
import { createInstantCluster, type InstantCluster } from './instant-cluster.ts';
import { createLoopbackAddresses } from './loopback-addresses.ts';

const PORT = 6_443;
const NODE_PORT = 50_000;

interface Lab extends AsyncDisposable {
  readonly cluster: InstantCluster;
  readonly api: TalosApi;
  readonly admin: TalosCredentials;
  /** Boots a machine and gives its address. */
  boot(name: string, type: 'controlplane' | 'worker'): Promise<string>;
  /** `name status kubelet` of each Node. */
  nodes(): Promise<readonly string[]>;
}

async function lab(): Promise<Lab> {
  const addresses = createLoopbackAddresses(randomBytes);
  const host = await addresses.take(PORT);
  const secrets = await createFakeClusterSecrets(`https://${host}:${PORT}`);
  const home = mkdtempSync(join(tmpdir(), 'bloomery-instant-test-'));
  const dir = join(home, 'api');
  const cluster = createInstantCluster({ host, port: PORT }, { clock, log, random: randomBytes, dir, stepDelayMs: 0 });
  const api = createTalosApi({ clock });
  return {
    cluster,
    api,
    admin: await secrets.credentials(),
    boot: async (name, type) => {
      const address = await addresses.take(NODE_PORT);
      await cluster.boot({ name, address, providerId: `fake://${name}`, config: secrets.config(type) });
      return address;
    },
    nodes: async () => {
      const { items = [] } = (await cluster.api?.client.list(node)) ?? {};
      return items.map(({ metadata, status }) => {
        const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status;
        return `${metadata.name} ${ready} ${status?.nodeInfo?.['kubeletVersion']}`;
      });
    },
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

describe('an instant cluster', () => {
  it('has a Kubernetes API with a Node for each machine as soon as one control plane was bootstrapped', async () => {
    await using use = await lab();
    const first = await use.boot('cp-1', 'controlplane');
    await use.boot('cp-2', 'controlplane');
    const worker = await use.boot('worker-1', 'worker');
    assert.equal(use.cluster.api, undefined);
    await use.api.node(first, use.admin).bootstrap();
    await use.cluster.settled();
    assert.deepEqual(await use.nodes(), ['cp-1 True v1.33.0', 'cp-2 True v1.33.0', 'worker-1 True v1.33.0']);
    assert.equal(await use.api.node(worker, use.admin).hostname(), 'worker-1');
    await use.boot('worker-2', 'worker');
    assert.equal((await use.nodes()).length, 4);
  });

  it('is reached with the kubeconfig of its machines, and with no other', async () => {
    await using use = await lab();
    const first = await use.boot('cp-1', 'controlplane');
    const machine = use.api.node(first, use.admin);
    await machine.bootstrap();
    await use.cluster.settled();
    const access = parseKubeconfig(await machine.kubeconfig(), 'a machine');
    await using client = createRemoteClient(access);
    const { items } = await client.list(node);
    assert.deepEqual(
      items.map(({ spec }) => spec?.providerID),
      ['fake://cp-1'],
    );
    const { cert: _, key: __, ...nobody } = access;
    await using stranger = createRemoteClient(nobody);
    await assert.rejects(stranger.list(node), (error) => isBloomeryError(error) && error.code.startsWith('BLM_API_'));
  });

  it('shows a machine that is off, and one that is on again', async () => {
    await using use = await lab();
    const first = await use.boot('cp-1', 'controlplane');
    await use.api.node(first, use.admin).bootstrap();
    const worker = await use.boot('worker-1', 'worker');
    await use.cluster.setPower('worker-1', 'off');
    assert.deepEqual(await use.nodes(), ['cp-1 True v1.33.0', 'worker-1 Unknown v1.33.0']);
    const dead = use.api.node(worker, use.admin).version();
    await assert.rejects(dead, (error) => isBloomeryError(error, 'BLM_TALOS_API_UNREACHABLE'));
    await use.cluster.setPower('worker-1', 'on');
    assert.deepEqual(await use.nodes(), ['cp-1 True v1.33.0', 'worker-1 True v1.33.0']);
  });

  it('has no Kubernetes API without a majority of etcd, and keeps its objects meanwhile', async () => {
    await using use = await lab();
    const first = await use.boot('cp-1', 'controlplane');
    await use.api.node(first, use.admin).bootstrap();
    await use.boot('cp-2', 'controlplane');
    use.cluster.setEtcd('cp-2', 'stopped');
    await use.cluster.settled();
    assert.equal(use.cluster.api, undefined);
    use.cluster.setEtcd('cp-2', 'running');
    await until('the API serves again', () => use.cluster.api !== undefined);
    assert.deepEqual(await use.nodes(), ['cp-1 True v1.33.0', 'cp-2 True v1.33.0']);
  });

  it('shows the Kubernetes version of a configuration that was applied', async () => {
    await using use = await lab();
    const first = await use.boot('cp-1', 'controlplane');
    const machine = use.api.node(first, use.admin);
    await machine.bootstrap();
    const config = use.cluster.machines.get('cp-1')?.node?.machine.config() ?? '';
    await machine.applyConfiguration(config.replaceAll('v1.33.0', 'v1.34.0'), { mode: 'auto' });
    await use.cluster.settled();
    assert.deepEqual(await use.nodes(), ['cp-1 True v1.34.0']);
  });
});
