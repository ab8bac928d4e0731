/**
 * The machine configuration as controllers read it: what the networking documents name, with defaults not filled in. Absent is
 * absent. Texts are as written (validated, not normalised).
 */
export interface NodeConfig {
  /** All documents, as applied. */
  readonly text: string;
  /** The v1alpha1 document; a configuration may have none before the machine has joined a cluster. */
  readonly machine?: MachineSection;
  readonly cluster?: ClusterSection;
  /** Further documents in their order. */
  readonly documents: readonly NodeDocument[];
}

/** One further document: kind, name if it has one, and its plain value. */
export interface NodeDocument {
  readonly kind: string;
  readonly name?: string;
  /** Line of the whole text it begins in, from 1. */
  readonly line: number;
  /** In Talos' normal form: durations as Go writes them, addresses in canonical form, zero values left out. */
  readonly value: Readonly<Record<string, unknown>>;
}

export interface MachineSection {
  readonly type: 'init' | 'controlplane' | 'worker';
  readonly token?: string;
  /** PEM texts; `key` is empty where the machine has none (workers). */
  readonly ca?: { readonly crt: string; readonly key: string };
  readonly acceptedCAs: readonly { readonly crt: string }[];
  readonly certSANs: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly files: readonly MachineFileSection[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly time: { readonly disabled?: boolean; readonly servers: readonly string[] };
  readonly network: NetworkSection;
  /** `features.hostDNS`; ResolverConfig may say it instead. */
  readonly hostDNS: HostDnsSection;
  /** `features.rbac`: when false, every certificate may do everything. */
  readonly rbac?: boolean;
  /** `features.stableHostname` */
  readonly stableHostname?: boolean;
  /** `features.nodeAddressSortAlgorithm`, as written. */
  readonly nodeAddressSortAlgorithm?: string;
}

export interface MachineFileSection {
  readonly path: string;
  readonly op: 'create' | 'append' | 'overwrite';
  readonly content: string;
  /** As in 0o644. */
  readonly permissions: number;
}

export interface HostDnsSection {
  readonly enabled?: boolean;
  readonly forwardKubeDNSToHost?: boolean;
  readonly resolveMemberNames?: boolean;
}

export interface ClusterSection {
  readonly id?: string;
  readonly secret?: string;
  readonly name?: string;
  readonly controlPlaneEndpoint?: string;
  readonly podSubnets: readonly string[];
  readonly serviceSubnets: readonly string[];
}

export interface NetworkSection {
  readonly hostname?: string;
  readonly interfaces: readonly Device[];
  readonly nameservers: readonly string[];
  readonly searchDomains: readonly string[];
  readonly disableSearchDomain?: boolean;
  readonly extraHostEntries: readonly { readonly ip: string; readonly aliases: readonly string[] }[];
}

/** `machine.network.interfaces[]`. */
export interface Device {
  /** Name, alias or alternative name; empty when a selector says it. */
  readonly interface: string;
  /** Line of the whole text it begins in, from 1. */
  readonly line?: number;
  readonly deviceSelector?: DeviceSelector;
  /** `addresses`, with the old `cidr` and the documents' `address` in front. */
  readonly addresses: readonly string[];
  readonly routes: readonly DeviceRoute[];
  readonly bond?: DeviceBond;
  readonly bridge?: DeviceBridge;
  /** The bridge that it is a port of. */
  readonly bridgePort?: { readonly master: string };
  readonly vlans: readonly DeviceVlan[];
  readonly wireguard?: DeviceWireguard;
  readonly mtu: number;
  readonly dhcp?: boolean;
  readonly dhcpOptions?: DhcpOptions;
  readonly ignore?: boolean;
  readonly dummy?: boolean;
  readonly vip?: { readonly ip: string };
}

/** Globs with `*`; all given keys must match. */
export interface DeviceSelector {
  readonly busPath?: string;
  readonly hardwareAddr?: string;
  readonly permanentAddr?: string;
  readonly pciID?: string;
  readonly driver?: string;
  readonly physical?: boolean;
}

export interface DeviceRoute {
  /** CIDR; empty: everything. */
  readonly network: string;
  readonly gateway: string;
  readonly source: string;
  readonly metric: number;
  readonly mtu: number;
}

/** Options of `bond` under their names in the configuration; those that are not given are absent. */
export interface DeviceBond {
  readonly interfaces: readonly string[];
  readonly deviceSelectors: readonly DeviceSelector[];
  readonly options: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

export interface DeviceBridge {
  readonly interfaces: readonly string[];
  readonly deviceSelectors: readonly DeviceSelector[];
  readonly stp?: boolean;
  readonly vlanFiltering?: boolean;
}

export interface DeviceVlan {
  readonly vlanId: number;
  readonly addresses: readonly string[];
  readonly routes: readonly DeviceRoute[];
  readonly mtu: number;
  readonly dhcp?: boolean;
  readonly dhcpOptions?: DhcpOptions;
  readonly vip?: { readonly ip: string };
}

export interface DhcpOptions {
  /** 0: the default of 1024. */
  readonly routeMetric: number;
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly duidv6?: string;
}

export interface DeviceWireguard {
  readonly privateKey: string;
  readonly listenPort: number;
  readonly firewallMark: number;
  readonly peers: readonly WireguardPeerSection[];
}

export interface WireguardPeerSection {
  readonly publicKey: string;
  readonly presharedKey?: string;
  readonly endpoint: string;
  readonly persistentKeepaliveMs: number;
  readonly allowedIPs: readonly string[];
}
