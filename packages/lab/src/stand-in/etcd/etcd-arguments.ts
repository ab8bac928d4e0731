import type { EtcdCertificates } from './etcd-certificates.ts';

/** How one etcd member runs. */
export interface EtcdMemberPlace {
  /** Host name of the machine: by it the control plane tells whose member it is. */
  readonly name: string;
  /** Address that it listens on and that others use. */
  readonly address: string;
  readonly dataDir: string;
  /** Tells clusters apart whose members meet by mistake. */
  readonly clusterToken: string;
}

/** Whether a member begins a cluster or comes to one. Ignored by etcd once there is data. */
export interface EtcdBeginning {
  readonly state: 'new' | 'existing';
  /** All members: `name=peer URL`. */
  readonly members: readonly string[];
}

/** Slower than etcd's defaults: an emulated machine does not always answer within a tenth of a second. */
const HEARTBEAT_MS = 250;
const ELECTION_MS = 2_500;

/** The URL that clients of a member use. */
export function clientUrl(address: string): string {
  return `https://${hostOf(address)}:2379`;
}

/** The URL that other members use. */
export function peerUrl(address: string): string {
  return `https://${hostOf(address)}:2380`;
}

function hostOf(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** The command line of a member. Nobody without a certificate of the cluster is answered. */
export function etcdArguments(
  { name, address, dataDir, clusterToken }: EtcdMemberPlace,
  { caFile, certFile, keyFile }: EtcdCertificates,
  { state, members }: EtcdBeginning,
): string[] {
  const [client, peer] = [clientUrl(address), peerUrl(address)];
  return [
    ...['--name', name, '--data-dir', dataDir, '--initial-cluster-token', clusterToken],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
    ...['--initial-cluster-state', state, '--initial-cluster', members.join(',')],
    ...['--cert-file', certFile, '--key-file', keyFile, '--trusted-ca-file', caFile, '--client-cert-auth'],
    ...['--peer-cert-file', certFile, '--peer-key-file', keyFile, '--peer-trusted-ca-file', caFile],
    ...['--peer-client-cert-auth', '--logger', 'zap', '--log-level', 'warn'],
    ...['--heartbeat-interval', String(HEARTBEAT_MS), '--election-timeout', String(ELECTION_MS)],
  ];
}
