/** Who asks a machine's Talos API, and whom it trusts: the content of a talosconfig context. PEM texts. */
export interface TalosCredentials {
  /** The Talos API CA of the cluster (`certs.os`). */
  readonly ca: string;
  readonly crt: string;
  /** Label `ED25519 PRIVATE KEY`, as Talos writes it. */
  readonly key: string;
}

/** A service of a machine, as `ServiceList` tells it. */
export interface TalosService {
  readonly id: string;
  /** `Running`, `Finished`, `Waiting`, `Failed`, … */
  readonly state: string;
  /** undefined: the service has no health check, or it has not run yet. */
  readonly healthy: boolean | undefined;
  readonly message: string;
}

export interface EtcdMember {
  /** 64 bits. */
  readonly id: bigint;
  readonly hostname: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface EtcdStatus {
  readonly memberId: bigint;
  /** 0: no leader. */
  readonly leader: bigint;
  readonly isLearner: boolean;
  readonly dbSize: bigint;
  readonly errors: readonly string[];
}

/** How a configuration is applied (`ApplyConfigurationRequest.mode`). */
export type ApplyMode = 'reboot' | 'auto' | 'no-reboot' | 'staged' | 'try';

/** What a machine said to a configuration. */
export interface AppliedConfiguration {
  readonly warnings: readonly string[];
  readonly mode: ApplyMode;
  /** What it would do, or did: the diff of a dry run. */
  readonly details: string;
}

/** A sequence that starts or ends on a machine. */
export interface SequenceEvent {
  readonly sequence: string;
  readonly action: 'NOOP' | 'START' | 'STOP';
  readonly error: string | undefined;
}

/**
 * The Talos API of one machine (gRPC over TLS 1.3, port 50000). Every call has a deadline of its own (5 s unless given) and
 * may be repeated. Failures are BloomeryErrors: BLM_TALOS_API_UNREACHABLE (no connection, or no answer in time: the outcome of
 * a change is unknown), BLM_TALOS_API_REFUSED (the machine answered with an error; facts.status is the gRPC code's name,
 * `ALREADY_EXISTS` for one), BLM_TALOS_API_UNTRUSTED (TLS: one side does not trust the other).
 */
export interface TalosNode {
  version(): Promise<{ readonly tag: string; readonly platform: string }>;
  hostname(): Promise<string>;
  bootstrap(options?: { readonly recoverEtcd?: boolean }): Promise<void>;
  services(): Promise<readonly TalosService[]>;
  etcdMembers(options?: { readonly queryLocal?: boolean }): Promise<readonly EtcdMember[]>;
  etcdStatus(): Promise<EtcdStatus>;
  etcdRemoveMember(id: bigint): Promise<void>;
  etcdLeaveCluster(): Promise<void>;
  /** Name of the member that leads now; '' when it did not lead. */
  etcdForfeitLeadership(): Promise<string>;
  /** Whether this path of the machine exists and, for a directory, has entries. */
  hasEntries(path: string): Promise<boolean>;
  /** Sequences of the machine since its boot, then as they happen, until the signal aborts or the machine goes. */
  sequences(signal: AbortSignal): AsyncIterable<SequenceEvent>;
  applyConfiguration(
    config: string,
    options: { readonly mode: ApplyMode; readonly dryRun?: boolean },
  ): Promise<AppliedConfiguration>;
  upgrade(image: string, options?: { readonly stage?: boolean; readonly force?: boolean }): Promise<void>;
  reset(options: { readonly graceful: boolean; readonly reboot: boolean }): Promise<void>;
  reboot(): Promise<void>;
  shutdown(options?: { readonly force?: boolean }): Promise<void>;
  /** The admin kubeconfig that the machine makes itself. YAML. */
  kubeconfig(): Promise<string>;
}

/** Talos APIs of machines by address. Connections are kept for a while and bounded in number. */
export interface TalosApi extends AsyncDisposable {
  /** `address` is an IP address; the port is 50000 unless `host:port` is given. */
  node(address: string, credentials: TalosCredentials, options?: { readonly timeoutMs?: number }): TalosNode;
}
