import { type KnownPeer, planPeers } from '@bloomery/siderolink';
import type { PeerUpdate } from '@bloomery/wire';

/** The peer that a device shall have for a key. */
export interface WantedPeer {
  /** Bare link address. */
  readonly address: string;
  /** `host:port` to call it at, where the device knows none. */
  readonly endpoint?: string;
}

/** What the device's peers follow. */
export interface WantedPeers {
  keys(): Iterable<string>;
  /** undefined: there shall be no such peer. */
  peer(publicKey: string): WantedPeer | undefined;
}

/** What a device has, as far as we know without asking it. */
export interface DeviceMirror {
  /** The device has exactly these peers. */
  reset(peers: readonly KnownPeer[]): void;
  has(publicKey: string): boolean;
  /** What brings these keys to what is wanted now. `withEndpoints`: also where those can be called that it does not have. */
  plan(publicKeys: readonly string[], withEndpoints?: 'with endpoints'): readonly PeerUpdate[];
  /** What brings the whole device there, with endpoints. */
  planAll(): readonly PeerUpdate[];
  /** The device took these. */
  took(updates: readonly PeerUpdate[]): void;
  /** The device may have taken some of these: the next plan neither skips them nor takes them for strangers. */
  mayHaveTaken(updates: readonly PeerUpdate[]): void;
}

/** Make the mirror of a device without peers. */
export function createDeviceMirror(wanted: WantedPeers): DeviceMirror {
  const known = new Map<string, KnownPeer>();
  const note = ({ publicKey, allowedIps }: Pick<KnownPeer, 'publicKey' | 'allowedIps'>): void => {
    known.set(publicKey, { publicKey, allowedIps, keepaliveSeconds: 0 });
  };
  const plan: DeviceMirror['plan'] = (publicKeys, withEndpoints) => {
    const updates = planPeers(
      publicKeys.map((publicKey) => {
        const peer = wanted.peer(publicKey);
        if (peer === undefined) return { publicKey, address: '', remove: true };
        const endpoint = withEndpoints !== undefined && !known.has(publicKey) ? peer.endpoint : undefined;
        return { publicKey, address: peer.address, remove: false, ...(endpoint === undefined ? {} : { endpoint }) };
      }),
      publicKeys.flatMap((publicKey) => known.get(publicKey) ?? []),
    );
    // An address belongs to the peer that was given it last: old owners go first.
    return [...updates.filter((update) => update.remove), ...updates.filter((update) => !update.remove)];
  };
  return {
    reset: (peers) => {
      known.clear();
      for (const { publicKey, allowedIps, keepaliveSeconds } of peers)
        known.set(publicKey, { publicKey, allowedIps, keepaliveSeconds });
    },
    has: (publicKey) => known.has(publicKey),
    plan,
    planAll: () => plan([...new Set([...known.keys(), ...wanted.keys()])], 'with endpoints'),
    took: (updates) => {
      for (const update of updates) {
        if (update.remove) known.delete(update.publicKey);
        else note(update);
      }
    },
    mayHaveTaken: (updates) => {
      for (const { publicKey } of updates) note({ publicKey, allowedIps: [] });
    },
  };
}
