import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createRemoteClient, loadKubeconfig, type RemoteClient } from '@bloomery/kube';
import { configMap, server } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import { type ServeProcess, startServe } from '../testing/serve-process.ts';

const BLOOMERY = join(import.meta.dirname, '../../../../bloomery');
const DEADLINE_MS = 20_000;

/** Run `./bloomery` to its end while this process goes on. */
async function bloomery(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(BLOOMERY, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, `not within ${DEADLINE_MS} ms: ${what}`);
    await delay(50);
  }
}

async function clientOf(t: TestContext, kubeconfig: string): Promise<RemoteClient> {
  const client = createRemoteClient(await loadKubeconfig(kubeconfig));
  t.after(() => client[Symbol.asyncDispose]());
  return client;
}

async function readyz(client: RemoteClient): Promise<string> {
  try {
    return await client.transport.send({ method: 'GET', path: '/readyz' });
  } catch (error) {
    assert.ok(isBloomeryError(error), String(error));
    return error.message;
  }
}

function putNumber(client: RemoteClient, name: string, data: string) {
  const metadata = { name, namespace: 'default' };
  return client.create(configMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { data } });
}

describe('bloomery backup and restore', { timeout: 120_000 }, () => {
  const home = mkdtempSync(join(tmpdir(), 'bloomery-backup-'));
  const planes: ServeProcess[] = [];
  const start = async (dir: string): Promise<ServeProcess> => {
    const plane = await startServe({ dir });
    planes.push(plane);
    return plane;
  };
  after(async () => {
    for (const plane of planes) await plane.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('bring a plane back that was lost, and old watches do not go on', async (t) => {
    const plane = await start(join(home, 'lost'));
    const client = await clientOf(t, plane.kubeconfig);
    await client.create(server, {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata: { name: 'free' },
      spec: { accepted: true },
    });
    for (let i = 0; i < 50; i++) await putNumber(client, `before-${i}`, 'x');
    const isWriting = new AbortController();
    const writer = (async () => {
      for (let i = 0; !isWriting.signal.aborted; i++) await putNumber(client, `during-${i}`, 'x');
    })();
    const file = join(home, 'backup');
    const written = await bloomery('backup', file, '--kubeconfig', plane.kubeconfig, '--json');
    isWriting.abort();
    await writer;
    assert.equal(written.code, 0, written.stderr);
    const { revision } = JSON.parse(written.stdout);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(existsSync(`${file}.partial`), false);
    const later = await putNumber(client, 'later', 'x');
    const kept = await client.list(configMap, { namespace: 'default' });

    const refused = await bloomery('restore', file, '--data', plane.dir, '--force');
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /a running plane uses it; stop it first/);
    await plane.stop('SIGKILL');

    const again = await bloomery('restore', file, '--data', join(home, 'new'));
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /1 Servers were free in the backup/);
    const restored = await start(join(home, 'new'));
    // The authority is the same: the old admin certificate is good for the new plane.
    const oldConfig = readFileSync(plane.kubeconfig, 'utf8');
    writeFileSync(join(home, 'mixed'), oldConfig.replace(/server: .*/, `server: https://${restored.endpoints.kube}`));
    const newClient = await clientOf(t, join(home, 'mixed'));
    const found = await newClient.list(configMap, { namespace: 'default' });
    const names = (list: typeof found): readonly string[] => list.items.map((o) => o.metadata.name);
    const younger = kept.items.filter((o) => Number(o.metadata.resourceVersion) > revision).map((o) => o.metadata.name);
    assert.deepEqual(
      names(found),
      names(kept).filter((name) => !younger.includes(name)),
    );
    assert.ok(younger.includes('later'));
    assert.ok(Number(found.resourceVersion) > Number(later.metadata.resourceVersion) + 1e9);
    await until('the server is parked', async () => {
      const { status } = await newClient.get(server, { name: 'free' });
      return status?.phase === 'Parked';
    });
    const path = `/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=${later.metadata.resourceVersion}`;
    for await (const line of newClient.transport.lines({ method: 'GET', path })) {
      assert.match(line, /"code":410|"reason":"Expired"/);
      break;
    }
  });

  it('refuse who may not read everything', async (t) => {
    const plane = await start(join(home, 'guarded'));
    const access = await loadKubeconfig(plane.kubeconfig);
    const { cert: _cert, key: _key, ...anonymous } = access;
    const stranger = createRemoteClient(anonymous);
    t.after(() => stranger[Symbol.asyncDispose]());
    await assert.rejects(stranger.transport.send({ method: 'GET', path: '/bloomery/backup' }), {
      code: 'BLM_API_FORBIDDEN',
      message: /cannot get path "\/bloomery\/backup"/,
    });
    const missing = await bloomery('backup', '/no/such/folder/file', '--kubeconfig', plane.kubeconfig);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /writing the backup \/no\/such\/folder\/file: ENOENT/);
  });
});

describe('a plane whose disk is full', { timeout: 60_000 }, () => {
  it('reads on, says what is wrong, and writes again when there is room, without a restart', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'bloomery-full-'));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'bloomery-test', dir], { encoding: 'utf8' });
    if (mounted.status !== 0) {
      rmSync(dir, { recursive: true });
      return t.skip(`a small file system cannot be mounted here: ${mounted.stderr.trim()}`);
    }
    const plane = await startServe({ dir });
    t.after(async () => {
      await plane.stop();
      spawnSync('umount', [dir]);
      rmSync(dir, { recursive: true, force: true });
    });
    const client = await clientOf(t, plane.kubeconfig);
    await putNumber(client, 'kept', 'x');
    let refused: unknown;
    for (let i = 0; i < 200 && refused === undefined; i++) {
      await putNumber(client, `big-${i}`, 'x'.repeat(500_000)).catch((error: unknown) => {
        refused = error;
      });
    }
    assert.ok(isBloomeryError(refused), String(refused));
    assert.match(refused.message, /store\.db: .*free space on it/, plane.stderr());
    assert.match(await readyz(client), /\[-\]store failed/);
    assert.match(plane.stderr(), /"event":"store.commit-failed"/);
    const left = await client.list(configMap, { namespace: 'default' });
    assert.ok(left.items.length > 1, 'reads go on');
    spawnSync('mount', ['-o', 'remount,size=64m', dir]);
    await until('the store writes again', async () => (await readyz(client)) === 'ok');
    await putNumber(client, 'after', 'x');
    assert.match(plane.stderr(), /"event":"store.recovered"/);
  });
});
