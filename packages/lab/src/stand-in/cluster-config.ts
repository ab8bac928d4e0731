import type { PemPair } from '@bloomery/talos';

/** What a machine configuration says about the cluster that the machine is part of. Texts are '' where it says nothing. */
export interface ClusterConfig {
  readonly isControlPlane: boolean;
  /** `cluster.clusterName`; `cluster.id` where there is none. */
  readonly name: string;
  /** `https://host:port` of the Kubernetes API. */
  readonly endpoint: string;
  /** Machines come to the Kubernetes API with it (`cluster.token`). */
  readonly bootstrapToken: string;
  /** Machines come to trustd with it (`machine.token`). */
  readonly machineToken: string;
  /** `cluster.ca`, `machine.ca` (Talos API) and `cluster.etcd.ca`; workers have no keys. PEM. */
  readonly kubernetesCa: PemPair;
  readonly talosCa: PemPair;
  readonly etcdCa: PemPair;
  readonly serviceAccountKey: string;
  /** Further names and addresses of the Talos API's certificate, and of the Kubernetes API's. */
  readonly machineNames: readonly string[];
  readonly apiServerNames: readonly string[];
  /** Version in the tag of `machine.kubelet.image`, with `v`. */
  readonly kubernetesVersion: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
}

/** Read the parts out of a v1alpha1 document; undefined when it names no cluster. Pure. */
export function readClusterConfig(document: unknown): ClusterConfig | undefined {
  const [machine, cluster] = [child(document, 'machine'), child(document, 'cluster')];
  const endpoint = textOf(child(child(cluster, 'controlPlane'), 'endpoint'));
  if (endpoint === '') return undefined;
  const kubelet = child(machine, 'kubelet');
  const type = textOf(child(machine, 'type'));
  return {
    isControlPlane: type === 'controlplane' || type === 'init',
    name: textOf(child(cluster, 'clusterName')) || textOf(child(cluster, 'id')),
    endpoint,
    bootstrapToken: textOf(child(cluster, 'token')),
    machineToken: textOf(child(machine, 'token')),
    kubernetesCa: pair(child(cluster, 'ca')),
    talosCa: pair(child(machine, 'ca')),
    etcdCa: pair(child(child(cluster, 'etcd'), 'ca')),
    serviceAccountKey: pem(child(child(cluster, 'serviceAccount'), 'key')),
    machineNames: texts(child(machine, 'certSANs')),
    apiServerNames: texts(child(child(cluster, 'apiServer'), 'certSANs')),
    kubernetesVersion: /:(v[^:/@]+)(?:@|$)/.exec(textOf(child(kubelet, 'image')))?.[1] ?? '',
    nodeLabels: {
      ...labelsOf(child(child(kubelet, 'extraArgs'), 'node-labels')),
      ...labelMap(child(machine, 'nodeLabels')),
    },
  };
}

/** The value of a kubelet argument: `a=b,c=d`, or a list of such. */
function labelsOf(argument: unknown): Record<string, string> {
  const written = typeof argument === 'string' ? [argument] : texts(argument);
  const pairs = written.flatMap((part) => part.split(',')).filter(Boolean);
  return Object.fromEntries(pairs.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)]));
}

function labelMap(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text ?? '')]));
}

function pair(value: unknown): PemPair {
  return { crt: pem(child(value, 'crt')), key: pem(child(value, 'key')) };
}

function pem(value: unknown): string {
  return Buffer.from(textOf(value), 'base64').toString('utf8');
}

function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
