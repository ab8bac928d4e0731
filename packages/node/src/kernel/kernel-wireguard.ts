import type { WireguardChange, WireguardDump, WireguardPeerChange, WireguardPeerDump } from '@bloomery/wire';

/** A WireGuard device. Never written to a log. */
export type WireguardState = WireguardDump;

export type WireguardPeerState = WireguardPeerDump;

/** What is sent to a device: absent fields stay as they are. */
export type WireguardPatch = WireguardChange;

/** A peer whose networks are replaced is told as a whole: without a shared key here it has none after. */
export type WireguardPeerPatch = WireguardPeerChange;

/** What a peer without a shared key has in place of one. */
export const NO_PRESHARED_KEY = Buffer.alloc(32).toString('base64');

/** The kernel's WireGuard, or wireguard-go where the kernel has none. */
export interface KernelWireguard {
  /** Make the device: in the kernel, else a userspace one that lives as long as the daemon. */
  create(name: string): Promise<void>;
  /** undefined: no such device. */
  read(name: string): Promise<WireguardState | undefined>;
  configure(name: string, patch: WireguardPatch): Promise<void>;
}
