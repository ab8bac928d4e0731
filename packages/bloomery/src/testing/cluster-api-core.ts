import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { createCertificateAuthority, issueCertificate } from '@bloomery/talos';
import { parseAllDocuments } from 'yaml';
import { type PeerProcess, peer, startPeer } from './peer-process.ts';

/** Cluster API core's manager, and the manifests of its release. */
export const CORE_MANAGER = peer('cluster-api-manager');
const MANIFESTS = peer('cluster-api-core.yaml');

/** Why Cluster API core cannot run here, or false. */
export const coreIsMissing = CORE_MANAGER.missing || MANIFESTS.missing;

const SERVICE = 'capi-webhook-service';
const NAMESPACE = 'capi-system';

/** What an operator prepares for a provider that runs as a process beside the plane. */
export interface CoreInstallation {
  /** Manifests to apply, as a List: what the release has, without what only a cluster with pods could run. */
  readonly manifests: JsonObject;
  /** Start the manager as this user. */
  start(kubeconfig: string): PeerProcess;
}

/**
 * Cluster API's release, installed outside of a cluster: what cert-manager would inject is put in here. The API reaches the
 * webhooks `bySlice`, through their Service and an EndpointSlice that leads to the process, or `byUrl`, where the API refuses
 * loopback addresses in slices.
 */
export async function prepareCore(reach: 'bySlice' | 'byUrl' = 'bySlice'): Promise<CoreInstallation> {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-capi-'));
  const validity = { notBefore: new Date(Date.now() - 3_600_000), notAfter: new Date(Date.now() + 86_400_000) };
  const authority = await createCertificateAuthority({
    subject: { commonName: 'webhooks' },
    algorithm: 'ecdsa-p256',
    ...validity,
  });
  const certificate = await issueCertificate(authority, {
    subject: { commonName: SERVICE },
    names: [`${SERVICE}.${NAMESPACE}.svc`, '127.0.0.1'],
    extendedKeyUsages: ['serverAuth'],
    algorithm: 'ecdsa-p256',
    ...validity,
  });
  writeFileSync(join(dir, 'tls.crt'), certificate.certificatePem);
  writeFileSync(join(dir, 'tls.key'), certificate.keyPem, { mode: 0o600 });
  const webhookPort = await freePort();
  const caBundle = Buffer.from(authority.certificatePem).toString('base64');
  const documents = parseAllDocuments(readFileSync(MANIFESTS.path, 'utf8')).map((d): Json => d.toJSON());
  const url = reach === 'byUrl' ? `https://127.0.0.1:${webhookPort}` : undefined;
  const items = documents.filter(isJsonObject).flatMap((document) => installed(document, caBundle, url));
  return {
    manifests: {
      apiVersion: 'v1',
      kind: 'List',
      items: url === undefined ? [...items, endpoints(webhookPort)] : items,
    },
    start: (kubeconfig) =>
      startPeer(CORE_MANAGER, [
        '--kubeconfig',
        kubeconfig,
        `--webhook-port=${webhookPort}`,
        `--webhook-cert-dir=${dir}`,
        '--diagnostics-address=127.0.0.1:0',
        '--insecure-diagnostics',
        '--health-addr=127.0.0.1:0',
        '--feature-gates=ClusterTopology=true,MachinePool=true',
      ]),
  };
}

/** Kinds of the release that need a cluster that runs pods, or cert-manager. */
const POD_KINDS: ReadonlySet<Json | undefined> = new Set(['Deployment', 'Certificate', 'Issuer']);

function installed(document: JsonObject, caBundle: string, url: string | undefined): readonly JsonObject[] {
  if (POD_KINDS.has(document['kind'])) return [];
  return [withAddress(document, caBundle, url)];
}

/** Every `clientConfig` trusts our authority and, where a URL is given, leads there instead of to its Service. */
function withAddress(value: JsonObject, caBundle: string, url: string | undefined): JsonObject {
  const walk = (part: Json): Json => {
    if (Array.isArray(part)) return part.map(walk);
    if (!isJsonObject(part)) return part;
    return Object.fromEntries(
      Object.entries(part).map(([name, member]) => {
        // A schema may have a property of this name, too.
        if (name === 'clientConfig' && isJsonObject(member) && member['type'] === undefined)
          return [name, clientConfig(member, caBundle, url)];
        return [name, member === undefined ? null : walk(member)];
      }),
    );
  };
  const walked = walk(value);
  return isJsonObject(walked) ? walked : value;
}

function clientConfig(given: JsonObject, caBundle: string, url: string | undefined): JsonObject {
  const { service } = given;
  if (url === undefined || !isJsonObject(service)) return { ...given, caBundle };
  return { caBundle, url: `${url}${typeof service['path'] === 'string' ? service['path'] : ''}` };
}

function endpoints(port: number): JsonObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${SERVICE}-1`, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': SERVICE } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    ports: [{ name: '', port, protocol: 'TCP' }],
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port was bound');
  return address.port;
}
