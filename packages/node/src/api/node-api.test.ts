import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import { startTestRuntime, type TestRuntime } from '@bloomery/cosi/testing';
import { createGrpcClient, type GrpcClient, grpcStatusOf } from '@bloomery/grpc';
import { createFakeClock, silentLog, systemClock, until } from '@bloomery/ports';
import {
  type CertificateAuthority,
  createCertificateAuthority,
  field,
  issueCertificate,
  isYamlMap,
  readYamlDocument,
  scalarString,
} from '@bloomery/talos';
import { cosiProto, machineProto } from '@bloomery/wire';
import { configControllers } from '../config/config-controllers.ts';
import { type ConfigStore, openConfigStore } from '../config/config-store.ts';
import { AddressStatus } from '../resources/addresses.ts';
import { HostnameStatus } from '../resources/names.ts';
import { SERVED_DEFINITIONS } from '../served-definitions.ts';
import { testEnvironment } from '../testing/test-environment.ts';
import { createNodeLogs } from './node-logs.ts';
import { type NodeApi, startNodeApi } from './start-node-api.ts';

interface Credentials {
  readonly ca: string;
  readonly crt: string;
  readonly key: string;
}

interface TestNode extends AsyncDisposable {
  readonly api: NodeApi;
  readonly store: ConfigStore;
  readonly runtime: TestRuntime;
  /** A client with these credentials, those of DIR/talosconfig unless given. */
  client(credentials?: Partial<Credentials>): GrpcClient;
  readonly stateDir: string;
}

/** Local port and kind of timer of each established connection in /proc/net/tcp. */
const LOCAL_CONNECTION = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F:]+ 01 [0-9A-F:]+ (\d\d):/gm;
const KEEP_ALIVE = '02';

const VALIDITY = { notBefore: new Date('2020-01-01'), notAfter: new Date('2099-01-01') };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'node-api-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

async function startNode(config: string, listen = { host: '127.0.0.1', port: 0 }): Promise<TestNode> {
  const file = join(stateDir, 'given.yaml');
  writeFileSync(file, config);
  await using stack = new AsyncDisposableStack();
  // Certificates and connections live in real time, controllers in their own.
  const store = await openConfigStore({ stateDir, file, log: silentLog }, systemClock);
  stack.defer(() => store.stop());
  const logs = createNodeLogs(silentLog, systemClock);
  const environment = testEnvironment(
    { clock: systemClock, log: logs.log, random: (length) => crypto.getRandomValues(new Uint8Array(length)) },
    { stateDir },
  );
  const clock = createFakeClock(Date.now());
  const { signal } = new AbortController();
  const runtime = stack.use(startTestRuntime(configControllers(store), { clock, definitions: SERVED_DEFINITIONS }));
  const api = stack.use(await startNodeApi(listen, { environment, state: runtime.state, store, logs, signal }));
  runtime.runtime.start(api.controllers);
  await runtime.settled();
  const clients = stack.adopt<GrpcClient[]>([], (all) => {
    for (const client of all) client.close();
  });
  const owned = stack.move();
  return {
    api,
    store,
    runtime,
    stateDir,
    client: (credentials = {}) => {
      const { ca, crt, key } = { ...ownCredentials(), ...credentials };
      const tls = { ca, ...(crt === '' ? {} : { cert: crt, key }), minVersion: 'TLSv1.3' as const };
      const client = createGrpcClient({ address: { ...api.address, host: '127.0.0.1' }, clock: systemClock, tls });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** What DIR/talosconfig has. */
function ownCredentials(): Credentials {
  const tree = readYamlDocument(readFileSync(join(stateDir, 'talosconfig'), 'utf8'));
  const contexts = isYamlMap(tree) ? field(tree, 'contexts') : undefined;
  const context = isYamlMap(contexts) ? Object.values(contexts)[0] : undefined;
  const text = (key: string): string => {
    const value = isYamlMap(context) ? scalarString(field(context, key)) : undefined;
    return Buffer.from(value ?? '', 'base64')
      .toString()
      .replaceAll(' ED25519 PRIVATE', ' PRIVATE');
  };
  return { ca: text('ca'), crt: text('crt'), key: text('key') };
}

const authority = (): Promise<CertificateAuthority> =>
  createCertificateAuthority({ ...VALIDITY, subject: { organizations: ['talos'] }, algorithm: 'ed25519' });

async function clientOf(signer: CertificateAuthority, ...roles: string[]): Promise<Omit<Credentials, 'ca'>> {
  const subject = { organizations: roles };
  const made = await issueCertificate(signer, { ...VALIDITY, subject, extendedKeyUsages: ['clientAuth'] });
  return { crt: made.certificatePem, key: made.keyPem };
}

const configOf = (signer: CertificateAuthority, { key = true, hostname = 'node' } = {}): string =>
  `machine:
  type: ${key ? 'controlplane' : 'worker'}
  ca: {crt: ${base64(signer.certificatePem)}, key: "${key ? base64(signer.keyPem) : ''}"}
  certSANs: [node.example]
  network: {hostname: ${hostname}}
`;
const PLAIN = 'machine: {type: worker}\n';

const machine = (client: GrpcClient) => client.service(machineProto.MachineService);
const status = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'OK',
    (error: unknown) => grpcStatusOf(error),
  );

async function types(client: GrpcClient, type: string, namespace: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { resource } of client.service(cosiProto.State).list({ type, namespace })) {
    found.push(resource?.metadata?.id ?? '');
  }
  return found;
}

/** Names of the certificate that the server shows. */
function certificate(
  node: TestNode,
): Promise<{ readonly names: string; readonly issuer: string; readonly serial: string }> {
  return new Promise((resolve, reject) => {
    const { host, port } = { ...node.api.address, host: '127.0.0.1' };
    const { crt, key } = ownCredentials();
    const socket = tlsConnect({ host, port, rejectUnauthorized: false, cert: crt, key, ALPNProtocols: ['h2'] }, () => {
      const { subjectaltname = '', issuer, serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      resolve({ names: subjectaltname, issuer: String(issuer.O), serial: serialNumber });
    });
    socket.on('error', reject);
  });
}

describe('the certificates of the node', () => {
  it('are of its own authority without a configured one, and work with DIR/talosconfig', async () => {
    await using node = await startNode(PLAIN);
    const { messages } = await machine(node.client()).version({});
    assert.equal(messages[0]?.version?.tag, 'v1.13.9');
    assert.equal(statSync(join(stateDir, 'talosconfig')).mode & 0o777, 0o600);
    assert.equal(statSync(join(stateDir, 'pki/ca.key')).mode & 0o777, 0o600);
    assert.equal((await certificate(node)).issuer, 'bloomery-node');
  });

  it('are kept: an old talosconfig works after a restart', async () => {
    let old: Credentials;
    {
      await using _node = await startNode(PLAIN);
      old = ownCredentials();
    }
    await using node = await startNode(PLAIN);
    assert.equal(await status(machine(node.client(old)).version({})), 'OK');
  });

  it('are of machine.ca where its key is configured, and its clients are believed', async () => {
    const signer = await authority();
    await using node = await startNode(configOf(signer));
    const { names, issuer } = await certificate(node);
    assert.equal(issuer, 'talos');
    assert.match(names, /DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1, DNS:node\.example/);
    const admin = await clientOf(signer, 'os:admin');
    assert.equal(await status(machine(node.client({ ...admin, ca: signer.certificatePem })).version({})), 'OK');
    assert.equal(await status(machine(node.client()).version({})), 'OK');
  });

  it('believe clients of a machine.ca whose key the node does not have, and of further authorities', async () => {
    const signer = await authority();
    const accepted = await authority();
    const config = configOf(signer, { key: false });
    await using node = await startNode(
      config.replace('  certSANs', `  acceptedCAs: [{crt: ${base64(accepted.certificatePem)}}]\n  certSANs`),
    );
    for (const one of [signer, accepted]) {
      const admin = await clientOf(one, 'os:admin');
      assert.equal(await status(machine(node.client(admin)).version({})), 'OK');
    }
  });

  it('do not believe strangers, nor who has no certificate, nor servers', async () => {
    const signer = await authority();
    await using node = await startNode(configOf(signer));
    const server = await issueCertificate(signer, {
      ...VALIDITY,
      subject: { organizations: ['os:admin'] },
      extendedKeyUsages: ['serverAuth'],
    });
    const others = [
      await clientOf(await authority(), 'os:admin'),
      { crt: '', key: '' },
      { crt: server.certificatePem, key: server.keyPem },
    ];
    for (const other of others) assert.equal(await status(machine(node.client(other)).version({})), 'UNAVAILABLE');
  });

  it('follow the addresses and the host name without a new listener', async () => {
    await using node = await startNode(PLAIN);
    const before = node.client();
    await machine(before).version({});
    const { port } = node.api.address;
    await node.runtime.put(AddressStatus, 'eth0/10.7.7.7/24', AddressStatus.make({ address: '10.7.7.7/24' }));
    await node.runtime.put(HostnameStatus, 'hostname', HostnameStatus.make({ hostname: 'fresh' }));
    assert.match((await certificate(node)).names, /DNS:fresh.*IP Address:10\.7\.7\.7/);
    assert.equal(node.api.address.port, port);
    assert.equal(await status(machine(before).version({})), 'OK');
    const { serial } = await certificate(node);
    await node.runtime.put(HostnameStatus, 'hostname', HostnameStatus.make({ hostname: 'fresh', domainname: '' }));
    assert.equal((await certificate(node)).serial, serial);
  });

  it('are issued again before they end', async () => {
    await using node = await startNode(PLAIN);
    const { serial } = await certificate(node);
    await node.runtime.advance(299 * 86_400_000);
    assert.equal((await certificate(node)).serial, serial);
    await node.runtime.advance(2 * 86_400_000);
    assert.notEqual((await certificate(node)).serial, serial);
  });

  it('follow the configured authority', async () => {
    const first = await authority();
    const second = await authority();
    await using node = await startNode(configOf(first));
    await node.store.apply({ text: configOf(second), mode: 'auto' });
    const admin = await clientOf(second, 'os:admin');
    await until('the new authority is believed', async () => {
      await node.runtime.settled();
      const client = node.client({ ...admin, ca: second.certificatePem });
      return (await status(machine(client).version({}))) === 'OK';
    });
    assert.equal(await status(machine(node.client(await clientOf(first, 'os:admin'))).version({})), 'UNAVAILABLE');
    assert.equal(await status(machine(node.client()).version({})), 'OK');
  });

  it('are of its own authority when the configured one cannot be used', async () => {
    await using node = await startNode(
      'machine: {type: worker, ca: {crt: eHg=, key: ""}, acceptedCAs: [{crt: eHg=}]}\n',
    );
    assert.equal(await status(machine(node.client()).version({})), 'OK');
    const signer = await authority();
    const other = await authority();
    const mismatched = `machine: {type: controlplane, ca: {crt: ${base64(signer.certificatePem)}, key: ${base64(other.keyPem)}}}\n`;
    await node.store.apply({ text: mismatched, mode: 'auto' });
    await node.runtime.settled();
    assert.equal(await status(machine(node.client()).version({})), 'OK');
  });
});

describe('roles', () => {
  const RD = ['ResourceDefinitions.meta.cosi.dev', 'meta'] as const;
  const SENSITIVE = ['MachineConfigs.config.talos.dev', 'config'] as const;
  const cases: [role: string, want: Record<string, string>][] = [
    ['os:admin', { version: 'OK', read: 'OK', apply: 'OK', resources: 'OK', sensitive: 'OK' }],
    [
      'os:operator',
      {
        version: 'OK',
        read: 'PERMISSION_DENIED',
        apply: 'PERMISSION_DENIED',
        resources: 'OK',
        sensitive: 'PERMISSION_DENIED',
      },
    ],
    [
      'os:reader',
      {
        version: 'OK',
        read: 'PERMISSION_DENIED',
        apply: 'PERMISSION_DENIED',
        resources: 'OK',
        sensitive: 'PERMISSION_DENIED',
      },
    ],
    ...(['os:etcd:backup', 'stranger', 'os:impersonator'].map((role) => [
      role,
      {
        version: 'PERMISSION_DENIED',
        read: 'PERMISSION_DENIED',
        apply: 'PERMISSION_DENIED',
        resources: 'PERMISSION_DENIED',
        sensitive: 'PERMISSION_DENIED',
      },
    ]) satisfies [string, Record<string, string>][]),
  ];
  for (const [role, want] of cases) {
    it(`${role} may do what it may on Talos`, async () => {
      const signer = await authority();
      await using node = await startNode(configOf(signer));
      const client = node.client(await clientOf(signer, role));
      const { version, read, applyConfiguration } = machine(client);
      const data = Buffer.from(configOf(signer));
      const first = async (stream: AsyncIterable<unknown>): Promise<void> => {
        for await (const _ of stream) return;
      };
      assert.deepEqual(
        {
          version: await status(version({})),
          read: await status(first(read({ path: '/system/state/config.yaml' }))),
          apply: await status(applyConfiguration({ data, mode: machineProto.ApplyConfigurationRequest_Mode.AUTO })),
          resources: await status(types(client, ...RD)),
          sensitive: await status(types(client, ...SENSITIVE)),
        },
        want,
      );
    });
  }

  it('are what an impersonator says, and nobody else', async () => {
    const signer = await authority();
    await using node = await startNode(configOf(signer));
    const as = async (role: string): Promise<string> => {
      const client = node.client(await clientOf(signer, role));
      return status(machine(client).version({}, { metadata: { 'talos-role': 'os:reader' } }));
    };
    assert.equal(await as('os:impersonator'), 'OK');
    assert.equal(await as('stranger'), 'PERMISSION_DENIED');
  });

  it('do not matter when the configuration switches them off', async () => {
    const signer = await authority();
    await using node = await startNode(`${configOf(signer)}  features: {rbac: false}\n`);
    const client = node.client(await clientOf(signer, 'stranger'));
    assert.equal(await status(types(client, ...SENSITIVE)), 'OK');
    assert.equal((await machine(client).version({})).messages[0]?.features?.rbac, false);
  });

  it('never allow to write resources', async () => {
    await using node = await startNode(PLAIN);
    const state = node.client().service(cosiProto.State);
    const call = state.destroy({ type: 'LinkStatuses.net.talos.dev', namespace: 'network', id: 'lo' });
    await assert.rejects(call, /write access is not allowed/);
  });
});

describe('a node without a v1alpha1 document', () => {
  const MAINTENANCE =
    'apiVersion: v1alpha1\nkind: WireguardConfig\nname: wg0\nprivateKey: mB6WlFOR66Jx5rtPMIpxJ3s4XHyer9NCzqWPP7idGRo=\n';

  it('shows what is not sensitive to everybody, and takes its first configuration from everybody', async () => {
    await using node = await startNode(MAINTENANCE);
    const stranger = node.client({ crt: '', key: '' });
    const { messages } = await machine(stranger).version({});
    assert.equal(messages[0]?.platform?.mode, 'maintenance');
    assert.ok((await types(stranger, 'ResourceDefinitions.meta.cosi.dev', 'meta')).length > 50);
    assert.equal(await status(types(stranger, 'MachineConfigs.config.talos.dev', 'config')), 'PERMISSION_DENIED');
    const { AUTO } = machineProto.ApplyConfigurationRequest_Mode;
    const dryRun = { data: Buffer.from(PLAIN), mode: AUTO, dryRun: true };
    const { messages: shown } = await machine(stranger).applyConfiguration(dryRun);
    assert.doesNotMatch(shown[0]?.modeDetails ?? '', /mB6WlFOR66/);
    await machine(stranger).applyConfiguration({ data: Buffer.from(PLAIN), mode: AUTO });
    // Refused at first, and soon cut.
    assert.match(await status(machine(stranger).version({})), /^(PERMISSION_DENIED|UNAVAILABLE)$/);
    assert.equal(await status(machine(node.client({ crt: '', key: '' })).version({})), 'UNAVAILABLE');
    assert.equal(await status(machine(node.client()).version({})), 'OK');
  });

  it('lets nobody go on watching who came before it was configured, but who has a certificate', async () => {
    await using node = await startNode(MAINTENANCE);
    const watched = { namespace: 'network', type: HostnameStatus.type };
    const watch = (client: GrpcClient) => client.service(cosiProto.State).watch(watched)[Symbol.asyncIterator]();
    const [stranger, owner] = [watch(node.client({ crt: '', key: '' })), watch(node.client())];
    // The first message says that the watch is armed.
    await Promise.all([stranger.next(), owner.next()]);
    const ended = stranger.next();
    await node.store.apply({ text: PLAIN, mode: 'auto' });
    assert.equal(await status(ended), 'UNAVAILABLE');
    await node.runtime.put(HostnameStatus, 'hostname', HostnameStatus.make({ hostname: 'node' }));
    assert.equal((await owner.next()).value?.event[0]?.resource?.metadata?.id, 'hostname');
  });
});

describe('calls for nodes', () => {
  const asked = async (node: TestNode, metadata: Record<string, string>) => {
    const { messages } = await machine(node.client()).version({}, { metadata });
    return messages.map((message) => [message.metadata?.hostname, message.version?.tag, message.metadata?.error]);
  };

  it('are for this one when they name it, and are answered under that name', async () => {
    await using node = await startNode(PLAIN);
    assert.deepEqual(await asked(node, {}), [[undefined, 'v1.13.9', undefined]]);
    assert.deepEqual(await asked(node, { nodes: '127.0.0.1' }), [['127.0.0.1', 'v1.13.9', '']]);
    assert.deepEqual(await asked(node, { nodes: 'localhost, ::1' }), [
      ['localhost', 'v1.13.9', ''],
      ['::1', 'v1.13.9', ''],
    ]);
  });

  it('are refused for others, with what to do', async () => {
    await using node = await startNode(PLAIN);
    const text = 'this node does not forward calls, and is not "192.0.2.1": ask that node itself (--endpoints)';
    await assert.rejects(asked(node, { node: '192.0.2.1' }), (error) => {
      assert.equal(grpcStatusOf(error), 'UNAVAILABLE');
      assert.ok(error instanceof Error && error.message.includes(text), String(error));
      return true;
    });
    assert.deepEqual(await asked(node, { nodes: '192.0.2.1, 127.0.0.1' }), [
      ['127.0.0.1', 'v1.13.9', ''],
      ['192.0.2.1', undefined, text],
    ]);
  });
});

describe('methods of the node', () => {
  const { AUTO, REBOOT, TRY } = machineProto.ApplyConfigurationRequest_Mode;

  it('apply configurations with the statuses that talosctl knows', async () => {
    await using node = await startNode(PLAIN);
    const { applyConfiguration } = machine(node.client());
    const data = Buffer.from(PLAIN);
    assert.equal(await status(applyConfiguration({ data, mode: REBOOT })), 'FAILED_PRECONDITION');
    assert.equal(await status(applyConfiguration({ data: Buffer.from('x: 1'), mode: AUTO })), 'INVALID_ARGUMENT');
    assert.equal(await status(applyConfiguration({ data: Buffer.from([0xff, 0xfe]), mode: AUTO })), 'INVALID_ARGUMENT');
    const tryModeTimeout = { seconds: 0n, nanos: 0 };
    assert.equal(await status(applyConfiguration({ data, mode: TRY, tryModeTimeout })), 'INVALID_ARGUMENT');
    const [first, second] = await Promise.all([1, 2].map(() => status(applyConfiguration({ data, mode: AUTO }))));
    assert.deepEqual([first, second].sort(), ['FAILED_PRECONDITION', 'OK']);
  });

  it('tell what happened before, and what was wrong', async () => {
    await using node = await startNode(PLAIN);
    const client = machine(node.client());
    await client.applyConfiguration({ data: Buffer.from('x: 1'), mode: AUTO }).catch(() => {});
    const found: string[] = [];
    for await (const { data, id } of client.events({ tailEvents: -1 })) {
      if (id !== '') found.push(data?.typeUrl ?? '');
      if (found.includes('talos/runtime/machine.ConfigValidationErrorEvent')) break;
    }
    assert.ok(found.includes('talos/runtime/machine.MachineStatusEvent'), found.join(' '));
  });

  it('name the services of the daemon and their logs', async () => {
    await using node = await startNode(PLAIN);
    const client = machine(node.client());
    const { messages } = await client.serviceList({});
    assert.deepEqual(
      messages[0]?.services.map(({ id, state, health }) => [id, state, health?.healthy]),
      [
        ['apid', 'Running', true],
        ['controller-runtime', 'Running', true],
        ['machined', 'Running', true],
      ],
    );
    assert.deepEqual((await client.logsContainers({})).messages[0]?.ids, [
      'apid',
      'controller-runtime',
      'dns-resolve-cache',
      'machined',
    ]);
  });

  it('show the log of the daemon where that of the kernel cannot be read', async () => {
    await using node = await startNode(PLAIN);
    let text = '';
    for await (const { bytes } of machine(node.client()).dmesg({})) text += Buffer.from(bytes).toString();
    assert.match(text, /^daemon: warning: the log of the kernel cannot be read \(ENOENT/);
  });

  it('are UNIMPLEMENTED where a daemon of the network has nothing to say', async () => {
    await using node = await startNode(PLAIN);
    assert.equal(await status(machine(node.client()).bootstrap({})), 'UNIMPLEMENTED');
  });
});

describe('the listener', () => {
  it('says what to do when something else has its address', async () => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const message = `listening for the Talos API: tcp 127.0.0.1:${port} is taken; give --api another address`;
    await assert.rejects(startNode('machine: {type: worker}\n', { host: '127.0.0.1', port }), { message });
  });

  it('has the kernel ask whether who is silent is still there: a watch may be silent for ever', async () => {
    await using node = await startNode(PLAIN);
    const watched = { namespace: 'network', type: HostnameStatus.type };
    const watch = node.client().service(cosiProto.State).watch(watched)[Symbol.asyncIterator]();
    await watch.next();
    const port = node.api.address.port.toString(16).toUpperCase().padStart(4, '0');
    const timers = (): string[] =>
      [...readFileSync('/proc/self/net/tcp', 'latin1').matchAll(LOCAL_CONNECTION)]
        .filter(([, local]) => local === port)
        .map(([, , timer = '']) => timer);
    await until('connections of the API that have a keep-alive timer', () => {
      const found = timers();
      return found.length === 1 && found[0] === KEEP_ALIVE;
    });
  });

  it('starts and stops again and again on one address, and leaves nothing open', async () => {
    for (let time = 0; time < 20; time++) {
      await using node = await startNode(PLAIN);
      assert.equal(await status(machine(node.client()).version({})), 'OK');
    }
  });
});
