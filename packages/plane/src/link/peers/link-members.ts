import type { Logger } from '@bloomery/ports';
import { isOlder, isSamePeer, type LinkPeer, type Member } from './read-member.ts';

/** Who owns which key and address. Memory only; every read is one look into a map. */
export interface LinkMembers {
  /** Take a newer state of a binding; an older one is ignored. Returns the public keys whose peers may change by it. */
  put(name: string, next: Member): readonly string[];
  get(name: string): Member | undefined;
  /** Names and peers that the device shall have. */
  peers(): Iterable<readonly [name: string, peer: LinkPeer]>;
  /** The peer that the device shall have for a key; undefined: none. */
  peerWithKey(publicKey: string): LinkPeer | undefined;
  serverAt(address: string): string | undefined;
  serverWithKey(publicKey: string): string | undefined;
  serverWithVirtualAddress(virtualAddress: string): string | undefined;
  /** Told every virtual address that nobody owns any more. Returns the function that ends it. */
  onRevoked(listener: (virtualAddress: string) => void): () => void;
}

/** What members need. */
export interface LinkMembersDeps {
  /** Virtual address, `[v6]:port`, of a tunnelled machine. */
  readonly virtualAddressOf: (publicKey: string) => string;
  readonly log: Logger;
}

/**
 * Make an empty set of members. A key and an address belong to the first binding that has them; what another one (written
 * by hand) wants of them, it gets when the first is gone. Bindings that are gone leave their version behind, so that a
 * late answer cannot bring them back: the size is bounded by the machines that there ever were.
 */
export function createLinkMembers({ virtualAddressOf, log }: LinkMembersDeps): LinkMembers {
  const members = new Map<string, Member>();
  const byAddress = new Map<string, string>();
  const byKey = new Map<string, string>();
  const byVirtual = new Map<string, string>();
  const contested = new Set<string>();
  const listeners = new Set<(virtualAddress: string) => void>();

  const release = (name: string, peer: LinkPeer): readonly string[] => {
    if (contested.delete(name)) return [];
    byAddress.delete(peer.address);
    byKey.delete(peer.publicKey);
    if (peer.mode === 'tunnel') byVirtual.delete(virtualAddressOf(peer.publicKey));
    return [peer.publicKey];
  };
  const claim = (name: string, peer: LinkPeer): readonly string[] => {
    const owner = byKey.get(peer.publicKey) ?? byAddress.get(peer.address);
    if (owner !== undefined) {
      if (!contested.has(name)) log.warn('link.contested', { server: name, owner, address: peer.address });
      contested.add(name);
      return [];
    }
    contested.delete(name);
    byAddress.set(peer.address, name);
    byKey.set(peer.publicKey, name);
    if (peer.mode === 'tunnel') byVirtual.set(virtualAddressOf(peer.publicKey), name);
    return [peer.publicKey];
  };
  const claimContested = (): readonly string[] =>
    [...contested].flatMap((name) => {
      const peer = members.get(name)?.peer;
      return peer === undefined ? [] : claim(name, peer);
    });
  const replace = (name: string, before: LinkPeer | undefined, after: LinkPeer | undefined): readonly string[] => {
    const released = before === undefined ? [] : release(name, before);
    const claimed = after === undefined ? [] : claim(name, after);
    if (before?.mode === 'tunnel' && released.length > 0) {
      const virtual = virtualAddressOf(before.publicKey);
      if (!byVirtual.has(virtual)) for (const listener of listeners) listener(virtual);
    }
    return [...released, ...claimed, ...(released.length > 0 && contested.size > 0 ? claimContested() : [])];
  };
  return {
    put: (name, next) => {
      const have = members.get(name);
      if (have !== undefined && isOlder(next, have)) return [];
      members.set(name, next);
      return isSamePeer(have?.peer, next.peer) ? [] : replace(name, have?.peer, next.peer);
    },
    get: (name) => members.get(name),
    *peers() {
      for (const name of byKey.values()) {
        const peer = members.get(name)?.peer;
        if (peer !== undefined) yield [name, peer];
      }
    },
    peerWithKey: (publicKey) => members.get(byKey.get(publicKey) ?? '')?.peer,
    serverAt: (address) => byAddress.get(address),
    serverWithKey: (publicKey) => byKey.get(publicKey),
    serverWithVirtualAddress: (virtualAddress) => byVirtual.get(virtualAddress),
    onRevoked: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
