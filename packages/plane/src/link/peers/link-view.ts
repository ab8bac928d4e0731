import type { ObjectCache } from '@bloomery/kube';
import { serverBinding } from '@bloomery/model';
import type { Clock } from '@bloomery/ports';
import type { TunnelCounters } from '@bloomery/siderolink';
import type { LinkStatus } from '../link-status.ts';
import type { LinkLook, LinkTotals } from './link-look.ts';
import type { LinkPeers } from './link-peers.ts';
import { type LinkState, linkState } from './link-report.ts';
import type { LinkMode, LinkPeer } from './read-member.ts';
import { sightOf } from './report-link-states.ts';

/** One machine of the link as the last look saw it. */
export interface LinkPeerView {
  /** Name of its ServerBinding, and of its Server. */
  readonly server: string;
  /** As the machine reported it; empty: not yet. */
  readonly hostname: string;
  readonly mode: LinkMode;
  /** `waiting`: linked before the device was started, not heard since, but not for long. */
  readonly state: LinkState | 'waiting';
  /** Milliseconds since the epoch. */
  readonly lastHandshakeMs: number | undefined;
  /** `host:port`; of tunnelled machines it is our own end of the tunnel. */
  readonly endpoint: string | undefined;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Bare link address. */
  readonly address: string;
  /** base64 */
  readonly publicKey: string;
}

/** Machines by state, and sums since the start. */
export interface LinkMetrics extends LinkTotals {
  readonly peers: { readonly up: number; readonly stale: number; readonly never: number };
  readonly tunnels: TunnelCounters;
}

/** What can be said of the link now, from memory. */
export interface LinkView {
  device(): LinkStatus;
  /** Sorted by name. */
  peers(): readonly LinkPeerView[];
  /** undefined: this machine never asked for a link address. */
  peer(server: string): LinkPeerView | undefined;
  metrics(): LinkMetrics;
}

/** What the view is made of. */
export interface LinkViewDeps {
  readonly cache: ObjectCache;
  readonly peers: Pick<LinkPeers, 'get' | 'peers' | 'serverWithKey'>;
  readonly look: LinkLook;
  readonly deviceSinceMs: () => number | undefined;
  readonly status: () => LinkStatus;
  readonly tunnels: () => TunnelCounters;
  readonly clock: Clock;
}

/** Make the view. Nothing is kept in it. */
export function createLinkView(deps: LinkViewDeps): LinkView {
  const { cache, look } = deps;
  const viewOf = (server: string, peer: LinkPeer): LinkPeerView => {
    const seen = look.peer(peer.publicKey);
    const sight = sightOf(peer, deps.peers.get(server), deps);
    const binding = cache.get(serverBinding, { name: server });
    return {
      ...peer,
      server,
      hostname: binding?.spec?.hostname ?? '',
      state: linkState(sight) ?? 'waiting',
      lastHandshakeMs: sight.handshakeMs ?? sight.storedHandshakeMs,
      endpoint: seen?.endpoint,
      receivedBytes: seen?.receivedBytes ?? 0,
      sentBytes: seen?.sentBytes ?? 0,
    };
  };
  return {
    device: deps.status,
    peers: () =>
      Array.from(deps.peers.peers(), ([server, peer]) => viewOf(server, peer)).sort((a, b) =>
        a.server < b.server ? -1 : 1,
      ),
    peer: (server) => {
      const peer = deps.peers.get(server)?.peer;
      // One of two bindings that want the same key or address has no peer.
      return peer !== undefined && deps.peers.serverWithKey(peer.publicKey) === server
        ? viewOf(server, peer)
        : undefined;
    },
    metrics: () => {
      const peers = { up: 0, stale: 0, never: 0 };
      for (const [server, peer] of deps.peers.peers()) {
        const state = linkState(sightOf(peer, deps.peers.get(server), deps)) ?? 'waiting';
        peers[state === 'up' || state === 'never' ? state : 'stale']++;
      }
      return { peers, ...look.totals(), tunnels: deps.tunnels() };
    },
  };
}
