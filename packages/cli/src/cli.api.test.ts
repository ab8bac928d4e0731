import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { createObjectCache, patchStatus, runInformer } from '@bloomery/kube';
import {
  adminKubeconfig,
  computedResource,
  createApiHandler,
  listenApi,
  managedWrites,
  openStore,
  startAccess,
  startApiEngine,
} from '@bloomery/kubeapi';
import { allKinds, server } from '@bloomery/model';
import { EXPLAINED_KINDS, insightResources, openTimeline } from '@bloomery/plane';
import { silentLog, systemClock } from '@bloomery/ports';
import { buildCli } from './build-cli.ts';
import { runCli } from './run-cli.ts';
import { collect } from './testing/fake-session.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
const common = { clock: systemClock, log: silentLog };

describe('the command line against the embedded API', { timeout: 60_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'blm-cli-api-'));
  const kubeconfig = join(dir, 'kubeconfig');
  const cleanup = new AsyncDisposableStack();
  after(async () => {
    await cleanup.disposeAsync();
    rmSync(dir, { recursive: true, force: true });
  });

  before(async () => {
    const store = openStore({ dir, ...common, random });
    cleanup.defer(() => store.close());
    const engine = await startApiEngine({ store, kinds: allKinds, ...common, random, fields: managedWrites });
    cleanup.defer(() => engine.stop());
    const timeline = openTimeline({ file: join(dir, 'timeline.sqlite'), ...common });
    cleanup.use(timeline);
    const cache = createObjectCache();
    const stop = new AbortController();
    cleanup.defer(() => stop.abort());
    const informing = { client: engine.client, cache, ...common, random: () => 0.5 };
    await Promise.all(
      EXPLAINED_KINDS.map((kind) => new Promise<void>((done) => void runInformer(kind, informing, done, stop.signal))),
    );
    for (const resource of insightResources({ cache, timeline, clock: systemClock })) {
      engine.registry.set(computedResource(resource));
    }
    const access = await startAccess({ dir, names: () => ['127.0.0.1'] }, { engine, ...common, random });
    cleanup.defer(() => access.stop());
    const { credentials, authenticator, accountTokens } = access;
    const options = { engine, log: silentLog, serverAddress: '127.0.0.1', productVersion: '1.2.3' };
    const handle = createApiHandler({ ...options, authenticator, accountTokens });
    const api = await listenApi({ host: '127.0.0.1', port: 0 }, { handle, credentials, authenticator, ...common });
    cleanup.use(api);
    writeFileSync(kubeconfig, adminKubeconfig(credentials.current, `https://127.0.0.1:${api.address.port}`));
    await engine.client.create(server, {
      apiVersion: 'metal.sidero.dev/v1alpha2',
      kind: 'Server',
      metadata: { name: A },
      spec: { accepted: false, hostname: 'rack1-u07' },
    });
    const deps = { client: engine.client, clock: systemClock };
    await patchStatus(deps, server, { name: A }, () => {
      const ready = {
        type: 'Ready',
        status: 'False',
        reason: 'WaitingForAccept',
        message: 'nobody accepted it',
      } as const;
      return { phase: 'Discovered', waitingFor: 'accept', conditions: [ready] };
    });
    timeline.record({
      source: 'agent',
      about: { server: A },
      stage: 'Registered',
      severity: 'info',
      event: 'Registered',
      summary: 'Registered with 2 disks',
    });
  });

  const run = async (...args: string[]): Promise<string> => {
    const [stdout, stderr] = [collect(), collect()];
    const signal = new AbortController().signal;
    const deps = { env: { KUBECONFIG: kubeconfig }, stdout, stderr, clock: systemClock, version: '1.2.3', signal };
    const code = await runCli(buildCli(deps), args, deps);
    assert.equal(code, 0, stderr.text());
    return stdout.text();
  };

  it('shows columns, cause and timeline of a server, and accepts it', async () => {
    assert.match(
      await run('get', 'srv'),
      /^NAME +HOSTNAME .*PHASE +WAITING-FOR +AGE\n6b121f82\S+ +rack1-u07 .*Discovered +accept /,
    );
    assert.match(
      await run('explain', 'rack1-u07'),
      /cause .*nobody accepted it yet.*\n {2}since .*\n {2}evidence .*nobody accepted it\n.*Registered with 2 disks\n/,
    );
    assert.match(await run('timeline', A), /agent +Registered +Registered with 2 disks\n$/);
    assert.match(await run('describe', 'server', 'rack1-u07'), /Conditions:\n.*\n +Ready +False +WaitingForAccept/);
    assert.equal(await run('accept', '6b121f'), `server/${A} accepted\n`);
    assert.match(await run('version'), /manager +v1\./);
  });

  it('lets kubectl read explanations and timelines too', async (t) => {
    try {
      await promisify(execFile)('kubectl', ['version', '--client']);
    } catch {
      t.skip('kubectl is not installed');
      return;
    }
    const env = { ...process.env, HOME: dir, KUBECONFIG: kubeconfig };
    const kubectl = async (...args: string[]): Promise<string> =>
      (await promisify(execFile)('kubectl', args, { env })).stdout;
    assert.match(await kubectl('get', 'explanations', '-A'), /default +server\.6b121f82\S+ +false +WaitingForAccept/);
    assert.match(await kubectl('get', 'timelines', `server.${A}`), /Registered with 2 disks/);
    await assert.rejects(kubectl('delete', 'explanation', `server.${A}`));
  });
});
