import type { BoundAddress, Listen } from '@bloomery/ports';

/** A name server that questions go to. */
export interface DnsUpstreamSetting {
  readonly address: string;
  readonly port: number;
  readonly protocol: 'Do53' | 'DoT' | 'DoH';
  /** Of DoT and DoH. */
  readonly tlsServerName?: string;
}

/** Everything the server answers by. */
export interface HostDnsSettings {
  /** UDP and TCP each. */
  readonly listen: readonly Listen[];
  /** IP hop limit of answers: 1, or 2 when pods may ask. */
  readonly hopLimit: number;
  /** In their order: the first is always asked first. */
  readonly upstreams: readonly DnsUpstreamSetting[];
  /** Lower-case names without the last dot. */
  readonly staticHosts: ReadonlyMap<string, readonly string[]>;
  readonly members: ReadonlyMap<string, readonly string[]>;
  /** Domains with upstreams of their own, without dots at the ends; the longest match decides. */
  readonly domains: ReadonlyMap<string, readonly DnsUpstreamSetting[]>;
}

export interface HostDnsListener {
  readonly transport: 'udp' | 'tcp';
  readonly wanted: Listen;
  /** Absent while it cannot be bound. */
  readonly bound?: BoundAddress;
  /** Why not, with who has the port where that is known. It is tried again. */
  readonly problem?: string;
}

export interface HostDnsStatus {
  readonly listeners: readonly HostDnsListener[];
  readonly upstreams: readonly {
    readonly upstream: DnsUpstreamSetting;
    readonly healthy: boolean;
    readonly lastError?: string;
  }[];
  readonly cache: {
    readonly positive: number;
    readonly negative: number;
    readonly hits: number;
    readonly misses: number;
    readonly coalesced: number;
    readonly stale: number;
    readonly failures: number;
    readonly dropped: number;
  };
}

/** The caching DNS server of the host. */
export interface HostDns extends AsyncDisposable {
  /** Take these settings up; listeners that stay the same are not disturbed. The cache is emptied when the upstreams change. */
  configure(settings: HostDnsSettings): Promise<void>;
  readonly status: HostDnsStatus;
  /** After listeners or health change (not for each question). */
  listen(listener: () => void): () => void;
}
