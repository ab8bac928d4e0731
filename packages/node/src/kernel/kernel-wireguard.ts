/** A WireGuard device. Never written to a log. */
export interface WireguardState {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly listenPort: number;
  readonly firewallMark: number;
  readonly peers: readonly WireguardPeerState[];
}

export interface WireguardPeerState {
  readonly publicKey: string;
  readonly presharedKey: string;
  /** `host:port`; empty when none is known. */
  readonly endpoint: string;
  readonly keepaliveSeconds: number;
  /** CIDR. */
  readonly allowedIPs: readonly string[];
  readonly lastHandshakeMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** What is sent to a device: absent fields stay as they are. */
export interface WireguardPatch {
  readonly privateKey?: string;
  readonly listenPort?: number;
  readonly firewallMark?: number;
  readonly peers: readonly WireguardPeerPatch[];
}

/** What a peer without a shared key has in place of one. */
export const NO_PRESHARED_KEY = Buffer.alloc(32).toString('base64');

/** A peer whose networks are replaced is told as a whole: without a shared key here it has none after. */
export interface WireguardPeerPatch {
  readonly publicKey: string;
  readonly remove: boolean;
  readonly updateOnly: boolean;
  readonly presharedKey?: string;
  readonly endpoint?: string;
  readonly keepaliveSeconds?: number;
  readonly replaceAllowedIPs: boolean;
  readonly allowedIPs: readonly string[];
}

/** The kernel's WireGuard, or wireguard-go where the kernel has none. */
export interface KernelWireguard {
  /** Make the device: in the kernel, else a userspace one that lives as long as the daemon. */
  create(name: string): Promise<void>;
  /** undefined: no such device. */
  read(name: string): Promise<WireguardState | undefined>;
  configure(name: string, patch: WireguardPatch): Promise<void>;
}
