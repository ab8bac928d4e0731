import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { systemClock as clock, type ErrorCode, isBloomeryError } from '@bloomery/ports';
import { machineProto } from '@bloomery/wire';
import { create, toBinary } from '@bufbuild/protobuf';
import { createFakeClusterSecrets, type FakeClusterSecrets } from '../testing/fake-cluster.ts';
import { createFakeEtcd, type FakeEtcd } from '../testing/fake-etcd.ts';
import { type FakeTalosNode, type FakeTalosNodeOptions, startFakeTalosNode } from '../testing/fake-talos-node.ts';
import { createTalosApi } from './create-talos-api.ts';
import { readMachineIdentity } from './server/machine-identity.ts';
import { obtainServerCertificate, type ServerCertificate } from './server/server-certificate.ts';
import type { TalosApi, TalosCredentials, TalosNode } from './talos-api.ts';

let secrets: FakeClusterSecrets;
let admin: TalosCredentials;
let api: TalosApi;

before(async () => {
  secrets = await createFakeClusterSecrets();
  admin = await secrets.credentials();
  api = createTalosApi({ clock });
});
after(() => api[Symbol.asyncDispose]());

interface Lab extends AsyncDisposable {
  readonly fake: FakeTalosNode;
  readonly etcd: FakeEtcd;
  readonly node: TalosNode;
  readonly as: (credentials: TalosCredentials, timeoutMs?: number) => TalosNode;
}

async function lab(options: Partial<FakeTalosNodeOptions> = {}): Promise<Lab> {
  const etcd = options.etcd ?? createFakeEtcd();
  const listen = { host: '127.0.0.1', port: 0 };
  const config = secrets.config('controlplane');
  const fake = await startFakeTalosNode({ listen, config, etcd, clock, ...options });
  const as: Lab['as'] = (credentials, timeoutMs = 5_000) =>
    api.node(`${fake.address.host}:${fake.address.port}`, credentials, { timeoutMs });
  return { fake, etcd, as, node: as(admin), [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}

const failsWith = (code: ErrorCode, status?: string) => (error: unknown) => {
  assert.ok(isBloomeryError(error, code), String(error));
  if (status !== undefined) assert.equal(error.facts['status'], status);
  return true;
};

describe('the Talos API of a machine', () => {
  it('answers every question that a cluster has', async () => {
    await using use = await lab({ hostname: 'cp-1' });
    const { node } = use;
    assert.deepEqual(await node.version(), { tag: 'v1.13.9', platform: 'metal' });
    assert.equal(await node.hostname(), 'cp-1');
    assert.equal(await node.hasEntries('/var/lib/etcd/member'), false);
    await node.bootstrap();
    assert.equal(await node.hasEntries('/var/lib/etcd/member'), true);
    const [member] = await node.etcdMembers();
    assert.equal(member?.hostname, 'cp-1');
    assert.deepEqual(member?.peerUrls, ['https://127.0.0.1:2380']);
    assert.equal((await node.etcdStatus()).leader, member?.id);
    assert.equal(await node.etcdForfeitLeadership().catch(() => 'nobody else'), 'nobody else');
    const etcd = (await node.services()).find(({ id }) => id === 'etcd');
    assert.deepEqual(etcd, { id: 'etcd', state: 'Running', healthy: true, message: 'Health check successful' });
    assert.match(await node.kubeconfig(), /current-context: admin@test/);
  });

  it('is told what to do, and does it with what it was told', async () => {
    await using use = await lab();
    const { node, fake } = use;
    await node.upgrade('ghcr.io/siderolabs/installer:v1.13.10', { stage: true });
    await node.reboot();
    await node.shutdown({ force: true });
    await node.reset({ graceful: true, reboot: false });
    assert.deepEqual(fake.orders, [
      { order: 'upgrade', image: 'ghcr.io/siderolabs/installer:v1.13.10', stage: true },
      { order: 'reboot' },
      { order: 'shutdown' },
      { order: 'reset', graceful: true, reboot: false },
    ]);
    assert.equal((await node.version()).tag, 'v1.13.10');
    assert.deepEqual(
      fake.calls.map(({ method }) => method),
      ['Upgrade', 'Reboot', 'Shutdown', 'Reset', 'Version'],
    );
    assert.deepEqual(fake.calls[0]?.roles, ['os:admin']);
  });

  it('tells what a configuration would change before it takes it', async () => {
    await using use = await lab();
    const config = use.fake.machine.config();
    const next = config.replace('kubelet:v1.33.0', 'kubelet:v1.34.0');
    const dry = await use.node.applyConfiguration(next, { mode: 'auto', dryRun: true });
    assert.match(dry.details, /changed machine\.kubelet\.image/);
    assert.equal(dry.mode, 'no-reboot');
    assert.equal(use.fake.machine.config(), config);
    await use.node.applyConfiguration(next, { mode: 'staged' });
    assert.equal(use.fake.machine.config(), next);
    const refused = use.node.applyConfiguration('machine: {nonsense: 1}', { mode: 'auto' });
    await assert.rejects(refused, failsWith('BLM_TALOS_API_REFUSED', 'INVALID_ARGUMENT'));
  });

  it('tells its sequences since the boot, then as they happen, until nobody asks any more', async () => {
    await using use = await lab();
    const abort = new AbortController();
    const seen: string[] = [];
    for await (const { sequence, action } of use.node.sequences(abort.signal)) {
      seen.push(`${sequence} ${action}`);
      if (seen.length === 2) use.fake.machine.announce({ sequence: 'reboot', action: 'START', error: undefined });
      if (seen.length === 3) abort.abort();
    }
    assert.deepEqual(seen, ['boot START', 'boot STOP', 'reboot START']);
  });

  it('ends the stream of sequences with an error when the machine goes', async () => {
    await using use = await lab();
    const reading = (async () => {
      for await (const { action } of use.node.sequences(new AbortController().signal)) {
        if (action === 'STOP') await use.fake.powerOff();
      }
    })();
    await assert.rejects(reading, failsWith('BLM_TALOS_API_UNREACHABLE'));
  });

  it('bootstraps once, and says so the second time', async () => {
    await using use = await lab();
    await use.node.bootstrap();
    await assert.rejects(use.node.bootstrap(), failsWith('BLM_TALOS_API_REFUSED', 'ALREADY_EXISTS'));
    assert.equal(use.etcd.bootstraps.length, 1);
  });

  it('does for each role what Talos lets it do', async () => {
    await using use = await lab();
    const reader = use.as(await secrets.credentials(['os:reader']));
    const operator = use.as(await secrets.credentials(['os:operator']));
    await reader.services();
    await operator.reboot();
    const denied = failsWith('BLM_TALOS_API_REFUSED', 'PERMISSION_DENIED');
    await assert.rejects(reader.reboot(), denied);
    await assert.rejects(reader.kubeconfig(), denied);
    await assert.rejects(operator.bootstrap(), denied);
    await assert.rejects(use.as(await secrets.credentials(['os:etcd:backup'])).version(), denied);
    assert.deepEqual(use.fake.orders, [{ order: 'reboot' }]);
  });
});

describe('trust between the plane and a machine', () => {
  it('is refused to a server that another authority has certified', async () => {
    await using use = await lab({ wrongCa: true });
    await assert.rejects(use.node.version(), failsWith('BLM_TALOS_API_UNTRUSTED'));
    assert.deepEqual(use.fake.calls, []);
  });

  it('is refused to a server whose certificate is for another address', async () => {
    await using use = await lab();
    const other = createServer((socket) => {
      const upstream = connectTo(use.fake);
      socket.pipe(upstream).pipe(socket);
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
    });
    const port = await listening(other, '127.0.0.2');
    await assert.rejects(api.node(`127.0.0.2:${port}`, admin).version(), failsWith('BLM_TALOS_API_UNTRUSTED'));
    other.close();
  });

  it('is refused by a machine of another cluster', async () => {
    await using use = await lab();
    const stranger = await (await createFakeClusterSecrets()).credentials();
    const node = use.as({ ...stranger, ca: admin.ca });
    // Node's TLS hangs up without an alert: that the certificate was the reason stays untold.
    await assert.rejects(node.bootstrap(), failsWith('BLM_TALOS_API_UNREACHABLE'));
    assert.deepEqual(use.fake.calls, []);
  });

  it('is refused with an alert by other TLS servers, which is told', async (t) => {
    const stranger = await createFakeClusterSecrets();
    const server = await startOpensslServer(stranger.bundle.os.crt, await certified());
    if (server === undefined) return t.skip('there is no openssl');
    await assert.rejects(api.node(server.address, admin).bootstrap(), failsWith('BLM_TALOS_API_UNTRUSTED'));
    await server.stop();
  });

  it('is not tried with credentials that cannot be read', async () => {
    await using use = await lab();
    const bad = failsWith('BLM_TALOS_CERTIFICATE_MALFORMED');
    await assert.rejects(use.as({ ...admin, key: 'rubbish' }).version(), bad);
    await assert.rejects(use.as({ ...admin, crt: '' }).version(), bad);
    await assert.rejects(use.as({ ...admin, ca: 'rubbish' }).version(), bad);
    const other = await secrets.credentials();
    await assert.rejects(use.as({ ...admin, key: other.key }).version(), bad);
  });

  it('needs TLS 1.3', async () => {
    await using use = await lab();
    const old = connect({ ...use.fake.address, ca: admin.ca, maxVersion: 'TLSv1.2' });
    const error = await new Promise<Error>((resolve) => old.once('error', resolve));
    assert.match(error.message, /protocol version/);
  });
});

describe('a machine that does not answer as it should', () => {
  const unknown = failsWith('BLM_TALOS_API_UNREACHABLE');

  it('and is not there is unreachable', async () => {
    await using use = await lab();
    await use.fake.powerOff();
    await assert.rejects(use.node.version(), unknown);
    await use.fake.powerOn();
    assert.equal((await use.node.version()).platform, 'metal');
  });

  it('and hangs is given up at the deadline, and asked on a new connection then', async () => {
    await using use = await lab();
    use.fake.faults.set('Version', { fault: 'hang' }, 1);
    await assert.rejects(use.as(admin, 100).version(), unknown);
    assert.equal((await use.as(admin).version()).platform, 'metal');
  });

  it('and never ends the TLS handshake is given up at the deadline', async () => {
    let closed: Promise<unknown> | undefined;
    const silent = createServer((socket) => {
      closed = once(socket.on('error', () => {}).resume(), 'close');
    });
    const port = await listening(silent, '127.0.0.1');
    await assert.rejects(api.node(`127.0.0.1:${port}`, admin, { timeoutMs: 100 }).version(), unknown);
    await closed;
    silent.close();
  });

  it('and does what it was told before its connection goes leaves the outcome unknown', async () => {
    await using use = await lab();
    use.fake.faults.set('Bootstrap', { fault: 'drop-after' }, 1);
    await assert.rejects(use.node.bootstrap(), unknown);
    assert.equal(use.etcd.bootstraps.length, 1);
    await assert.rejects(use.node.bootstrap(), failsWith('BLM_TALOS_API_REFUSED', 'ALREADY_EXISTS'));
  });

  it('and is slow is waited for', async () => {
    await using use = await lab();
    use.fake.faults.set('*', { fault: 'slow', delayMs: 20 });
    assert.equal((await use.node.version()).platform, 'metal');
  });

  it('and refuses says why, with its status', async () => {
    await using use = await lab();
    use.fake.faults.set('EtcdMemberList', { fault: 'refuse', status: 'FAILED_PRECONDITION', message: 'not now' });
    await assert.rejects(use.node.etcdMembers(), failsWith('BLM_TALOS_API_REFUSED', 'FAILED_PRECONDITION'));
    use.fake.faults.clear();
    use.fake.faults.set('*', { fault: 'refuse', status: 'UNAVAILABLE' });
    await assert.rejects(use.node.etcdMembers(), unknown);
  });

  it('and puts its refusal into the metadata of its answer is understood', async () => {
    await using use = await lab();
    const answer = (metadata: object) => {
      const schema = machineProto.BootstrapResponseSchema;
      return { fault: 'answer', message: toBinary(schema, create(schema, { messages: [{ metadata }] })) } as const;
    };
    use.fake.faults.set('Bootstrap', answer({ error: 'rpc error', status: { code: 6, message: 'again' } }));
    await assert.rejects(use.node.bootstrap(), failsWith('BLM_TALOS_API_REFUSED', 'ALREADY_EXISTS'));
    use.fake.faults.set('Bootstrap', answer({ error: 'something else' }));
    await assert.rejects(use.node.bootstrap(), failsWith('BLM_TALOS_API_REFUSED', 'UNKNOWN'));
    use.fake.faults.set('Bootstrap', answer({ hostname: 'cp-1' }));
    await use.node.bootstrap();
    use.fake.faults.set('Bootstrap', { fault: 'answer', message: new Uint8Array() });
    await assert.rejects(use.node.bootstrap(), failsWith('BLM_TALOS_API_REFUSED', 'INTERNAL'));
  });

  it('and answers rubbish or too much leaves the outcome unknown, or is refused, and is asked again', async () => {
    await using use = await lab();
    use.fake.faults.set('Version', { fault: 'answer', message: Buffer.from('\xff\xff\xff\xff', 'latin1') }, 1);
    await assert.rejects(use.node.version(), unknown);
    use.fake.faults.set('Version', { fault: 'answer', message: new Uint8Array(5 * 1024 * 1024) }, 1);
    await assert.rejects(use.node.version(), failsWith('BLM_TALOS_API_REFUSED', 'RESOURCE_EXHAUSTED'));
    use.fake.faults.set('Kubeconfig', { fault: 'answer', message: Buffer.from([0x12, 3, 1, 2, 3]) }, 1);
    await assert.rejects(use.node.kubeconfig(), failsWith('BLM_WIRE_MALFORMED'));
    assert.equal((await use.node.version()).platform, 'metal');
  });

  it('and speaks something else is unreachable', async () => {
    for (const greeting of ['HTTP/1.1 400 Bad Request\r\n\r\n', 'SSH-2.0-x\r\n', '\x15\x03\x03\x00\x02\x02\x28']) {
      const other = createServer((socket) => {
        socket.on('error', () => {});
        socket.end(greeting, 'latin1');
      });
      const port = await listening(other, '127.0.0.1');
      await assert.rejects(api.node(`127.0.0.1:${port}`, admin).version(), unknown, greeting);
      other.close();
    }
  });
});

describe('connections to machines', () => {
  it('are bounded: an idle one makes room, and one in use does not', async () => {
    await using one = await lab();
    await using two = await lab();
    await using small = createTalosApi({ clock, limits: { connections: 1 } });
    const ask = ({ fake }: Lab) => small.node(`127.0.0.1:${fake.address.port}`, admin, { timeoutMs: 5_000 }).version();
    await ask(one);
    await ask(two);
    one.fake.faults.set('Version', { fault: 'slow', delayMs: 300 }, 1);
    const busy = ask(one);
    await assert.rejects(ask(two), failsWith('BLM_TALOS_API_UNREACHABLE'));
    await busy;
    await ask(two);
  });

  it('take addresses with and without port, and nothing else', () => {
    for (const good of ['10.0.0.1', '10.0.0.1:50000', 'fd00::1', '[fd00::1]:443']) api.node(good, admin);
    for (const bad of ['', 'host', '10.0.0.1:0', '10.0.0.1:70000', '[fd00::1', 'evil@10.0.0.1', '10.0.0.1/x']) {
      assert.throws(() => api.node(bad, admin), failsWith('BLM_WIRE_MALFORMED'), bad);
    }
  });
});

/** A certificate for 127.0.0.1 of the cluster. */
function certified() {
  const identity = readMachineIdentity(secrets.config('controlplane'));
  return obtainServerCertificate({ identity, hostname: 'cp-1', addresses: ['127.0.0.1'], clock });
}

/** A TLS server that believes clients of this authority alone; undefined without the program. */
async function startOpensslServer(clientCa: string, { crt, key }: ServerCertificate) {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-openssl-'));
  for (const [name, pem] of Object.entries({ ca: clientCa, crt, key })) writeFileSync(join(dir, name), pem);
  const files = ['-CAfile', 'ca', '-cert', 'crt', '-key', 'key'];
  const flags = ['-Verify', '1', '-verify_return_error', '-alpn', 'h2', '-tls1_3'];
  const child = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', ...files, ...flags], { cwd: dir });
  const port = await new Promise<string | undefined>((resolve) => {
    let text = '';
    child.once('error', () => resolve(undefined));
    child.stdout.on('data', (bytes) => {
      text += String(bytes);
      const found = /ACCEPT .*:(\d+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.kill()) await once(child, 'exit');
    rmSync(dir, { recursive: true });
  };
  if (port !== undefined) return { address: `127.0.0.1:${port}`, stop };
  rmSync(dir, { recursive: true });
  return undefined;
}

function connectTo(fake: FakeTalosNode) {
  const { host, port } = fake.address;
  return createConnection({ host, port });
}

function listening(server: Server, host: string): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
