import type { PeerState } from '@bloomery/wire';
import type { LinkPeers } from './link-peers.ts';

/** Sums over all peers since the start. */
export interface LinkTotals {
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly handshakes: number;
}

/** What the device said last. */
export interface LinkLook {
  /** Ask the device now. Without a device everything is unknown. Rejects when it does not answer; the last look stays then. */
  look(): Promise<void>;
  /** The peer with this public key at the last look. */
  peer(publicKey: string): PeerState | undefined;
  totals(): LinkTotals;
}

/** Make a look that has seen nothing. It keeps one state for each peer. */
export function createLinkLook(peers: Pick<LinkPeers, 'state'>): LinkLook {
  let seen = new Map<string, PeerState>();
  let totals: LinkTotals = { receivedBytes: 0, sentBytes: 0, handshakes: 0 };
  return {
    look: async () => {
      const state = await peers.state();
      const next = new Map((state?.peers ?? []).map((peer) => [peer.publicKey, peer]));
      totals = addTotals(totals, seen, next);
      seen = next;
    },
    peer: (publicKey) => seen.get(publicKey),
    totals: () => totals,
  };
}

/** A peer that was taken away and added again, or a fresh device, counts from zero. Pure. */
function addTotals(
  { receivedBytes, sentBytes, handshakes }: LinkTotals,
  before: ReadonlyMap<string, PeerState>,
  now: ReadonlyMap<string, PeerState>,
): LinkTotals {
  const sum = { receivedBytes, sentBytes, handshakes };
  for (const [publicKey, peer] of now) {
    const have = before.get(publicKey);
    sum.receivedBytes += grown(have?.receivedBytes, peer.receivedBytes);
    sum.sentBytes += grown(have?.sentBytes, peer.sentBytes);
    if (peer.lastHandshakeMs !== undefined && peer.lastHandshakeMs !== have?.lastHandshakeMs) sum.handshakes++;
  }
  return sum;
}

function grown(before: number | undefined, now: number): number {
  return before === undefined || now < before ? now : now - before;
}
