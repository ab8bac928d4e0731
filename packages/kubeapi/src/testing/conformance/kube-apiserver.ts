import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@bloomery/ports';
import { type CertificateAuthority, createCertificateAuthority } from '@bloomery/talos';
import { type ClientIdentity, identityOf } from '../client-identity.ts';
import { rawRequest } from './api-client.ts';
import { type Child, freePorts, startChild } from './child-process.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { peer, type Target, TOKEN_FILE, TOKENS } from './target.ts';

const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const;
const CONTROLLERS = [
  'garbage-collector-controller',
  'namespace-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'root-ca-certificate-publisher-controller',
  'clusterrole-aggregation-controller',
];

/** The reason why the real API cannot be started here; undefined when it can. */
export function missingPeers(): string | undefined {
  const missing = PROGRAMS.filter((name) => !existsSync(peer(name)));
  return missing.length === 0 ? undefined : `${missing.join(', ')} not built; run scripts/setup peers`;
}

/** A real kube-apiserver whose process a test can stop, go on with, kill and start again. */
export interface KubeApiserver extends Target {
  /** SIGSTOP: it keeps its connections and says nothing more. */
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** Start it again on its port; resolves when it is ready. */
  restart(): Promise<void>;
}

/** Start etcd, kube-apiserver and kube-controller-manager with an authority of their own on free ports. Takes 5 to 10 s. */
export async function startKubeApiserver(): Promise<KubeApiserver> {
  const dir = mkdtempSync(join(tmpdir(), 'conformance-kube-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }));
  const children: Child[] = [];
  const start = (program: string, args: readonly string[]): Child => {
    const child = startChild(peer(program), args);
    children.push(child);
    return child;
  };
  cleanup.defer(async () => {
    for (const child of children.toReversed()) await child[Symbol.asyncDispose]();
  });
  const [etcdPort = 0, etcdPeerPort = 0, port = 0, managerPort = 0] = await freePorts(4);
  const pki = await writePki(dir);
  const url = `https://127.0.0.1:${port}`;
  const etcd = `http://127.0.0.1:${etcdPort}`;
  start('etcd', etcdArgs(join(dir, 'etcd'), etcd, `http://127.0.0.1:${etcdPeerPort}`));
  let server = start('kube-apiserver', apiserverArgs(dir, port, etcd));
  const kubeconfig = join(dir, 'kubeconfig');
  writeKubeconfig(kubeconfig, url, pki.authority.certificatePem, pki.admin);
  const log = (): string => children.map((child) => child.output().slice(-4000)).join('\n---\n');
  const get = (path: string) => rawRequest({ url, caPem: pki.authority.certificatePem, ...pki.admin }, 'GET', path);
  const isReady = async (): Promise<boolean> => {
    if (children.some((child) => child.process.exitCode !== null)) throw new Error(`a peer ended: ${log()}`);
    return (await get('/readyz').catch(() => undefined))?.code === 200;
  };
  const ready = (): Promise<boolean> => until('kube-apiserver is ready', isReady, { deadlineMs: 60_000 });
  await ready();
  start('kube-controller-manager', managerArgs(dir, managerPort));
  await until(
    'the default service account is there',
    async () => (await get('/api/v1/namespaces/default/serviceaccounts/default')).code === 200,
  );
  const owned = cleanup.move();
  return {
    name: 'kube-apiserver',
    url,
    caPem: pki.authority.certificatePem,
    caKeyPem: pki.authority.keyPem,
    kubeconfig,
    admin: pki.admin,
    tokens: TOKENS,
    issue: (commonName, organizations = []) => identityOf(pki.authority, commonName, { organizations }),
    log,
    pause: () => void server.process.kill('SIGSTOP'),
    resume: () => void server.process.kill('SIGCONT'),
    async kill() {
      children.splice(children.indexOf(server), 1);
      const ended = once(server.process, 'exit');
      server.process.kill('SIGKILL');
      await ended;
    },
    async restart() {
      server = start('kube-apiserver', apiserverArgs(dir, port, etcd));
      await ready();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Pki {
  readonly authority: CertificateAuthority;
  readonly admin: ClientIdentity;
}

async function writePki(dir: string): Promise<Pki> {
  const now = Date.now();
  const authority = await createCertificateAuthority({
    subject: { commonName: 'conformance' },
    algorithm: 'ecdsa-p256',
    notBefore: new Date(now - 3_600_000),
    notAfter: new Date(now + 86_400_000),
  });
  const admin = await identityOf(authority, 'conformance-admin', { organizations: ['system:masters'] });
  const server = await identityOf(authority, 'kube-apiserver', { usage: 'serverAuth', names: ['127.0.0.1'] });
  const accounts = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const files: Record<string, string> = {
    'ca.crt': authority.certificatePem,
    'server.crt': server.cert ?? '',
    'server.key': server.key ?? '',
    'sa.pub': accounts.publicKey,
    'sa.key': accounts.privateKey,
    'tokens.csv': TOKEN_FILE,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text, { mode: 0o600 });
  return { authority, admin };
}

function etcdArgs(dir: string, url: string, peerUrl: string): string[] {
  return [
    `--data-dir=${dir}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--log-level=warn',
    '--unsafe-no-fsync',
  ];
}

function apiserverArgs(dir: string, port: number, etcd: string): string[] {
  return [
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.0.0.0/24',
    `--cert-dir=${dir}`,
    `--tls-cert-file=${dir}/server.crt`,
    `--tls-private-key-file=${dir}/server.key`,
    `--client-ca-file=${dir}/ca.crt`,
    `--token-auth-file=${dir}/tokens.csv`,
    `--service-account-key-file=${dir}/sa.pub`,
    `--service-account-signing-key-file=${dir}/sa.key`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    '--authorization-mode=RBAC',
    '--profiling=false',
  ];
}

function managerArgs(dir: string, port: number): string[] {
  return [
    `--kubeconfig=${dir}/kubeconfig`,
    `--controllers=${CONTROLLERS.join(',')}`,
    `--service-account-private-key-file=${dir}/sa.key`,
    `--root-ca-file=${dir}/ca.crt`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${dir}`,
    '--leader-elect=false',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ];
}
