import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRemoteClient, type RemoteClient } from '@bloomery/kube';
import { type Node, node } from '@bloomery/model';
import { isBloomeryError, silentLog, systemClock } from '@bloomery/ports';
import {
  createSecretsBundle,
  createTalosApi,
  generateConfig,
  issueCertificate,
  loadCertificateAuthority,
  type MachineType,
  parseVersionContract,
  type SecretsBundle,
  type TalosCredentials,
  type TalosNode,
  talosKeyPem,
  writeConfig,
} from '@bloomery/talos';
import { parseAllDocuments } from 'yaml';
import { bloomeryCacheDir } from '../images/cache-dir.ts';
import { readClusterConfig } from './cluster-config.ts';
import { type RunningNode, runNode } from './run-node.ts';
import { createSequenceLog } from './sequence-log.ts';

const etcdProgram = join(bloomeryCacheDir(process.env), 'peers/etcd');
const whyNot = !existsSync(etcdProgram) && 'etcd is not built; run make setup';
const WAIT_MS = 25_000;
const random = (length: number): Uint8Array => randomBytes(length);

async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  let failure: unknown;
  for (const end = Date.now() + WAIT_MS; Date.now() < end; await sleep(50)) {
    try {
      const seen = await look();
      if (seen !== undefined) return seen;
    } catch (error) {
      failure = error;
    }
  }
  assert.fail(`not within ${WAIT_MS} ms: ${what}: ${failure}`);
}

describe('machines of the stand-in in one cluster', { skip: whyNot }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-node-'));
  const net = `127.${randomInt(10, 250)}.${randomInt(1, 250)}`;
  const contract = parseVersionContract('v1.6');
  const endpoint = `https://${net}.1:6443`;
  const talos = createTalosApi({ clock: systemClock });
  const nodes: RunningNode[] = [];
  let bundle: SecretsBundle;
  let admin: TalosCredentials;
  let kube: RemoteClient;

  const start = async (n: number, machineType: MachineType): Promise<RunningNode> => {
    const source = { bundle, clusterName: 'c', endpoint, kubernetesVersion: '1.34.4', contract, machineType };
    const config = writeConfig(generateConfig(source), 'strict');
    const cluster = readClusterConfig(parseAllDocuments(config)[0]?.toJS());
    assert.ok(cluster);
    const own = { hostname: `m-${n}`, addresses: [`${net}.${n}`], uuid: `0-${n}` };
    const facts = { ...own, cpus: 1, memoryBytes: 2 ** 29, kernelVersion: '6', bootId: 'b', osVersion: 'v0' };
    const started = await runNode(
      {
        ...{ cluster, config, version: 'v1.13.0-stand-in', facts: () => facts, etcdProgram },
        ...{ listenHost: `${net}.${n}`, stateDir: join(dir, String(n)), saveConfig: async () => {} },
      },
      { clock: systemClock, log: silentLog, random, reports: { service: () => '' }, sequences: createSequenceLog() },
    );
    nodes.push(started);
    return started;
  };
  const machine = (n: number): TalosNode => talos.node(`${net}.${n}`, admin);
  const state = async (n: number, id: string): Promise<string> => {
    const found = (await machine(n).services()).find((service) => service.id === id);
    return `${found?.state} ${found?.healthy}`;
  };
  const readyNode = (name: string): Promise<Node> =>
    eventually(`Node ${name} is Ready`, async () => {
      const found = await kube.get(node, { name });
      return found.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
        ? found
        : undefined;
    });
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };

  before(async () => {
    bundle = await createSecretsBundle({ contract, nowMs: Date.now(), random });
    const client = await issueCertificate(loadCertificateAuthority(bundle.os.crt, bundle.os.key), {
      ...validity,
      subject: { organizations: ['os:admin'] },
      extendedKeyUsages: ['clientAuth'],
    });
    admin = { ca: bundle.os.crt, crt: client.certificatePem, key: talosKeyPem(client.key) };
    const { certificatePem: cert, keyPem: key } = await issueCertificate(
      loadCertificateAuthority(bundle.kubernetes.crt, bundle.kubernetes.key),
      {
        ...validity,
        subject: { commonName: 'kubernetes-admin', organizations: ['system:masters'] },
        extendedKeyUsages: ['clientAuth'],
      },
    );
    kube = createRemoteClient({ server: endpoint, ca: bundle.kubernetes.crt, cert, key, namespace: 'default' });
    await start(2, 'worker');
    await start(1, 'controlplane');
  });
  after(async () => {
    await kube?.[Symbol.asyncDispose]();
    for (const running of nodes.reverse()) await running[Symbol.asyncDispose]();
    await talos[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  it('serve the Talos API before there is a cluster, the worker with a certificate from trustd', async () => {
    for (const n of [1, 2]) {
      const { tag } = await eventually(`m-${n} answers`, () => machine(n).version());
      assert.equal(tag, 'v1.13.0-stand-in');
      assert.equal(await machine(n).hostname(), `m-${n}`);
    }
    assert.equal(await state(1, 'etcd'), 'Preparing undefined');
    assert.equal(await machine(1).hasEntries(join(dir, '1/etcd/member')), false);
  });
  it('take a bootstrap on a control plane, once, and nowhere else', async () => {
    const refusal = (error: unknown): unknown => isBloomeryError(error) && error.facts['status'];
    await assert.rejects(machine(2).bootstrap(), (error) => refusal(error) === 'FAILED_PRECONDITION');
    await machine(1).bootstrap();
    await assert.rejects(machine(1).bootstrap(), (error) => refusal(error) === 'ALREADY_EXISTS');
    await eventually('etcd is healthy', async () => ((await state(1, 'etcd')) === 'Running true' ? true : undefined));
    assert.deepEqual(
      (await machine(1).etcdMembers()).map(({ hostname }) => hostname),
      ['m-1'],
    );
    assert.equal(await machine(1).hasEntries(join(dir, '1/etcd/member')), true);
  });
  it('become Nodes that an administrator sees, with the addresses and the version of their configurations', async () => {
    const [controlPlane, worker] = [await readyNode('m-1'), await readyNode('m-2')];
    assert.equal(controlPlane.metadata.labels?.['node-role.kubernetes.io/control-plane'], '');
    assert.equal(worker.metadata.labels?.['node-role.kubernetes.io/control-plane'], undefined);
    assert.equal(worker.status?.nodeInfo?.['kubeletVersion'], 'v1.34.4+stand-in');
    assert.deepEqual(worker.status?.addresses, [
      { type: 'InternalIP', address: `${net}.2` },
      { type: 'Hostname', address: 'm-2' },
    ]);
  });
  it('say how all their services are', async () => {
    for (const [n, id] of [
      [1, 'apid'],
      [1, 'trustd'],
      [1, 'kubelet'],
      [2, 'apid'],
      [2, 'kubelet'],
    ] as const) {
      assert.equal(await state(n, id), 'Running true', `${id} of m-${n}`);
    }
  });
  it('join etcd by themselves when they are control planes of a cluster that is there', async () => {
    await start(3, 'controlplane');
    await readyNode('m-3');
    const seen = await eventually('two members', async () => {
      const members = await machine(1).etcdMembers();
      return members.every(({ hostname }) => hostname !== '') && members.length === 2 ? members : undefined;
    });
    assert.deepEqual(seen.map(({ hostname }) => hostname).sort(), ['m-1', 'm-3']);
    await eventually('its etcd is healthy', async () =>
      (await state(3, 'etcd')) === 'Running true' ? true : undefined,
    );
  });
  it('leave etcd when they are told to, and run it no more', async () => {
    await eventually('it left', () =>
      machine(3)
        .etcdLeaveCluster()
        .then(() => true),
    );
    assert.match(await state(3, 'etcd'), /^Finished/);
    assert.equal((await machine(1).etcdMembers()).length, 1);
  });
  it('end their run as they are told', async () => {
    await machine(2).reset({ graceful: true, reboot: true });
    assert.deepEqual(await nodes[0]?.ended, { how: 'reboot', sequence: 'reset', leave: true, wipe: true });
  });
});
