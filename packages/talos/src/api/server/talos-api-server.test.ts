import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { createGrpcClient } from '@bloomery/grpc';
import {
  systemClock as clock,
  type ErrorCode,
  isBloomeryError,
  type Logger,
  silentLog as log,
  type Service,
} from '@bloomery/ports';
import { securityProto } from '@bloomery/wire';
import { pkcs8Pem, readPrivateKey } from '../../certificates/index.ts';
import { createFakeClusterSecrets } from '../../testing/fake-cluster.ts';
import { createFakeEtcd } from '../../testing/fake-etcd.ts';
import { createFakeMachine } from '../../testing/fake-machine.ts';
import { createTalosApi } from '../create-talos-api.ts';
import { readMachineIdentity } from './machine-identity.ts';
import { createMachineService } from './machine-service.ts';
import { obtainServerCertificate } from './server-certificate.ts';
import { startTalosApiServer } from './talos-api-server.ts';
import { startTalosServer } from './talos-server.ts';
import { createTrustdService } from './trustd-service.ts';

const listen = { host: '127.0.0.1', port: 0 };
const addresses = ['127.0.0.1'];

function machine(hostname: string, config: string) {
  const base = { hostname, config, talosVersion: 'v1.11.0', clock, onOrder: () => {} };
  const kubeconfig = () => Promise.resolve('');
  return createFakeMachine({ ...base, etcd: createFakeEtcd().machine(hostname, '127.0.0.1'), kubeconfig }).actions;
}

async function startTrustd(config: string): Promise<Service> {
  const identity = readMachineIdentity(config);
  assert.ok(identity.caKey !== undefined);
  const certificate = await obtainServerCertificate({ identity, hostname: 'cp', addresses, clock });
  const services = [createTrustdService({ ...identity, caKey: identity.caKey }, clock)];
  return startTalosServer(listen, { services, certificate, clientCertificates: 'none', clock, log });
}

const failsWith = (code: ErrorCode) => (error: unknown) => isBloomeryError(error, code);

describe('the server of the Talos API', () => {
  it('proves itself on a control-plane machine with what its own configuration says, and runs trustd beside it', async () => {
    const secrets = await createFakeClusterSecrets();
    const config = secrets.config('controlplane');
    await using api = createTalosApi({ clock });
    await using server = await startTalosApiServer(
      { listen, trustdListen: listen, config, hostname: 'cp-1', addresses },
      { machine: machine('cp-1', config), clock, log },
    );
    const node = api.node(`127.0.0.1:${server.address.port}`, await secrets.credentials());
    assert.equal(await node.hostname(), 'cp-1');
  });

  it('gets its certificate on a worker from trustd, with the token of the machine', async () => {
    const secrets = await createFakeClusterSecrets();
    const config = secrets.config('worker');
    await using trustd = await startTrustd(secrets.config('controlplane'));
    await using api = createTalosApi({ clock });
    await using server = await startTalosApiServer(
      { listen, config, hostname: 'worker-1', addresses, trustd: trustd.address },
      { machine: machine('worker-1', config), clock, log },
    );
    const node = api.node(`127.0.0.1:${server.address.port}`, await secrets.credentials());
    assert.equal(await node.hostname(), 'worker-1');
  });

  it('does not start on a worker that trustd does not know, or that does not know trustd', async () => {
    const [secrets, others] = await Promise.all([createFakeClusterSecrets(), createFakeClusterSecrets()]);
    await using trustd = await startTrustd(secrets.config('controlplane'));
    const identity = readMachineIdentity(secrets.config('worker'));
    const stranger = readMachineIdentity(others.config('worker'));
    const ask = (who: typeof identity) =>
      obtainServerCertificate({ identity: who, hostname: 'w', addresses, clock, trustd: trustd.address });
    await assert.rejects(ask({ ...identity, token: stranger.token }), failsWith('BLM_TALOS_API_REFUSED'));
    await assert.rejects(ask({ ...identity, token: '' }), failsWith('BLM_TALOS_API_REFUSED'));
    await assert.rejects(ask(stranger), failsWith('BLM_TALOS_API_UNTRUSTED'));
    const alone = obtainServerCertificate({ identity, hostname: 'w', addresses, clock });
    await assert.rejects(alone, failsWith('BLM_TALOS_CONFIG_INVALID'));
  });
});

describe('trustd', () => {
  it('makes servers only, whatever it is asked for, with the names that were asked for', async () => {
    const secrets = await createFakeClusterSecrets();
    await using trustd = await startTrustd(secrets.config('controlplane'));
    const identity = readMachineIdentity(secrets.config('worker'));
    const names = ['127.0.0.1', 'fd00::1'];
    const source = { identity, hostname: 'w-1', addresses: names, clock, trustd: trustd.address };
    const { crt } = await obtainServerCertificate(source);
    const read = new X509Certificate(crt);
    assert.deepEqual(read.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    assert.equal(read.subject.includes('O='), false);
    assert.match(read.subjectAltName ?? '', /IP Address:127\.0\.0\.1, IP Address:FD00:0:0:0:0:0:0:1, DNS:w-1/);
  });

  it('refuses what is no request', async () => {
    const secrets = await createFakeClusterSecrets();
    await using trustd = await startTrustd(secrets.config('controlplane'));
    const identity = readMachineIdentity(secrets.config('worker'));
    const client = createGrpcClient({ address: trustd.address, clock, tls: { ca: identity.ca } });
    const ask = (csr: string) =>
      client
        .service(securityProto.SecurityService)
        .certificate({ csr: Buffer.from(csr) }, { metadata: { token: identity.token } });
    for (const csr of ['', 'rubbish', '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----']) {
      const refused = (error: unknown) =>
        isBloomeryError(error, 'BLM_GRPC_STATUS') && error.facts['status'] === 'INVALID_ARGUMENT';
      await assert.rejects(ask(csr), refused, csr);
    }
    client.close();
  });
});

describe('the certificate of a server', () => {
  const shown = (port: number, cert: string, key: string): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const socket = connect(
        { host: '127.0.0.1', port, cert, key, rejectUnauthorized: false, ALPNProtocols: ['h2'] },
        () => {
          const { serialNumber } = socket.getPeerCertificate();
          socket.destroy();
          resolve(serialNumber);
        },
      );
      socket.on('error', reject);
    });

  it('is changed for new connections, while old ones go on', async () => {
    const secrets = await createFakeClusterSecrets();
    const config = secrets.config('controlplane');
    const identity = readMachineIdentity(config);
    const [first, second] = await Promise.all(
      ['a', 'b'].map((hostname) => obtainServerCertificate({ identity, hostname, addresses, clock })),
    );
    assert.ok(first !== undefined && second !== undefined);
    const services = [createMachineService(machine('cp-1', config))];
    await using server = await startTalosServer(listen, {
      services,
      certificate: first,
      clientCertificates: 'required',
      clock,
      log,
    });
    await using api = createTalosApi({ clock });
    const { ca, crt, key } = await secrets.credentials();
    const node = api.node(`127.0.0.1:${server.address.port}`, { ca, crt, key });
    await node.hostname();
    const { port } = server.address;
    const plainKey = pkcs8Pem(readPrivateKey(key));
    assert.equal(await shown(port, crt, plainKey), new X509Certificate(first.crt).serialNumber);
    server.setCertificate(second);
    assert.equal(await shown(port, crt, plainKey), new X509Certificate(second.crt).serialNumber);
    assert.equal(await node.hostname(), 'cp-1');
  });

  it('says in the log why it lets somebody not in, and says it seldom', async () => {
    const [own, foreign] = await Promise.all([createFakeClusterSecrets(), createFakeClusterSecrets()]);
    const config = own.config('controlplane');
    const identity = readMachineIdentity(config);
    const certificate = await obtainServerCertificate({ identity, hostname: 'a', addresses, clock });
    const said: string[] = [];
    const recording: Logger = { ...log, warn: (event, fields) => said.push(`${event}: ${fields?.['reason']}`) };
    await using server = await startTalosServer(listen, {
      services: [createMachineService(machine('cp-1', config))],
      certificate,
      clientCertificates: () => 'required',
      clock,
      log: recording,
    });
    const { crt, key } = await foreign.credentials();
    const strange = { cert: crt, key: pkcs8Pem(readPrivateKey(key)) };
    for (const credentials of [{}, {}, strange, strange]) {
      const { port } = server.address;
      const socket = connect({ port, rejectUnauthorized: false, ALPNProtocols: ['h2'], ...credentials });
      await once(socket, 'close').catch(() => {});
    }
    const reasons = ['it shows no certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'];
    assert.deepEqual(
      said,
      reasons.map((reason) => `talos_api.unauthorized: ${reason}`),
    );
  });

  it('lets callers in while others hold connections and say nothing', async () => {
    const secrets = await createFakeClusterSecrets();
    const config = secrets.config('controlplane');
    const identity = readMachineIdentity(config);
    const certificate = await obtainServerCertificate({ identity, hostname: 'a', addresses, clock });
    const services = [createMachineService(machine('cp-1', config))];
    const deps = { services, certificate, clientCertificates: 'required', clock, log } as const;
    await using server = await startTalosServer(listen, deps);
    await using api = createTalosApi({ clock });
    const node = api.node(`127.0.0.1:${server.address.port}`, await secrets.credentials());
    await node.hostname();
    const silent = Array.from({ length: 300 }, () =>
      connectTcp(server.address.port, '127.0.0.1').on('error', () => {}),
    );
    await Promise.all(silent.map((socket) => once(socket, 'connect')));
    await using late = createTalosApi({ clock });
    assert.equal(await late.node(`127.0.0.1:${server.address.port}`, await secrets.credentials()).hostname(), 'cp-1');
    assert.equal(await node.hostname(), 'cp-1');
    for (const socket of silent) socket.destroy();
  });
});
