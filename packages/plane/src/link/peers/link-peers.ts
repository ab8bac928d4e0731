import type { ServerBinding } from '@bloomery/model';
import type { Clock, Logger } from '@bloomery/ports';
import { virtualAddress, type WireguardDevice } from '@bloomery/siderolink';
import type { DeviceState } from '@bloomery/wire';
import { createDevicePeers } from './device-peers.ts';
import { createLinkMembers, type LinkMembers } from './link-members.ts';
import { type Member, readMember } from './read-member.ts';

/** The machines of the link, and the device's peers that follow them. */
export interface LinkPeers extends Pick<LinkMembers, 'get' | 'peers' | 'onRevoked'> {
  /**
   * Make the device hold what this binding says; resolves when it does (at once without a device). States older than one
   * seen before are ignored, so a late cache cannot undo a provision.
   */
  put(binding: ServerBinding): Promise<void>;
  /** The binding is gone: so are its peer and what is known of it. */
  remove(binding: ServerBinding): Promise<void>;
  /**
   * Use this device from now on: it gets all peers first. undefined: the link is down. Resolves with the public keys of
   * machines that were linked and that this device must call now to be heard by them: most recently seen first.
   */
  attach(device: WireguardDevice | undefined): Promise<readonly string[]>;
  /** Make the device call these public keys, at new endpoints if given; those it does not have are left out. */
  call(publicKeys: readonly string[], endpoints?: ReadonlyMap<string, string>): Promise<void>;
  /** Name of the binding that owns a bare address. */
  serverAt(address: string): string | undefined;
  /** Name of the binding that owns a public key. */
  serverWithKey(publicKey: string): string | undefined;
  /** Name of the binding whose machine may open a tunnel with this virtual address (`[v6]:port`, as virtualAddress makes). */
  serverWithVirtualAddress(addressPort: string): string | undefined;
  /** How often the device came or went, or a peer was added, changed or removed so far. */
  changes(): number;
  /** Ask the device for all its peers; undefined without a device. Slow with many: for the periodic look only. */
  state(): Promise<DeviceState | undefined>;
}

/** What the peers need. */
export interface LinkPeersDeps {
  /** base64; virtual addresses follow from it. */
  readonly serverPrivateKey: string;
  /** Give a fresh device the endpoints that the bindings' status remembers. */
  readonly restoreEndpoints?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Make an empty set of machines. Device changes are batched and strictly one after another. */
export function createLinkPeers({ serverPrivateKey, restoreEndpoints = true, clock, log }: LinkPeersDeps): LinkPeers {
  const virtualAddressOf = (publicKey: string): string => virtualAddress(serverPrivateKey, publicKey);
  const members = createLinkMembers({ virtualAddressOf, log });
  const device = createDevicePeers({
    wanted: {
      *keys() {
        for (const [, peer] of members.peers()) yield peer.publicKey;
      },
      peer: (publicKey) => {
        const peer = members.peerWithKey(publicKey);
        const name = members.serverWithKey(publicKey);
        const endpoint = restoreEndpoints && name !== undefined ? members.get(name)?.endpoint : undefined;
        return peer && { address: peer.address, ...(endpoint === undefined ? {} : { endpoint }) };
      },
    },
    clock,
    log,
  });
  let changes = 0;
  const follow = (changed: readonly string[], alsoKey: readonly string[] = []): Promise<void> => {
    if (changed.length > 0) changes++;
    return device.follow([...changed, ...alsoKey]);
  };
  return {
    ...members,
    put: (binding) => {
      const { name } = binding.metadata;
      const next = readMember(binding);
      const have = members.get(name);
      if (next.peer === undefined && binding.spec?.siderolink !== undefined && have?.generation !== next.generation) {
        log.warn('link.bad_binding', { server: name, why: 'spec.siderolink is not an address and a key' });
      }
      const changed = members.put(name, next);
      // The same key again: the device may still be waiting for it.
      const key = members.get(name)?.peer?.publicKey;
      return follow(changed, key === undefined ? [] : [key]);
    },
    remove: (binding) => {
      const { name, uid } = binding.metadata;
      const have = members.get(name);
      if (have !== undefined && have.uid !== uid) return follow([]);
      const gone = { ...readMember(binding), peer: undefined };
      // Whether the last state that is seen of it has the revision of its deletion depends on the API: go beyond both.
      const revision = Math.max(gone.revision ?? 0, have?.revision ?? 0) + 1;
      return follow(members.put(name, { ...gone, revision: gone.revision === undefined ? undefined : revision }));
    },
    attach: async (next) => {
      changes++;
      const restored = await device.attach(next);
      const memberOf = (publicKey: string): Member | undefined => members.get(members.serverWithKey(publicKey) ?? '');
      return restored
        .flatMap((publicKey) => {
          const member = memberOf(publicKey);
          return member?.wasUp === true ? [{ publicKey, seenMs: member.lastHandshakeMs }] : [];
        })
        .sort((a, b) => b.seenMs - a.seenMs)
        .map(({ publicKey }) => publicKey);
    },
    call: device.call,
    changes: () => changes,
    state: device.state,
  };
}
