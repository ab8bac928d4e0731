import type { ServerBinding } from '@bloomery/model';
import { errorText, type Logger } from '@bloomery/ports';
import { bareLinkAddress, type PeerEvent, planPeers, type WireguardDevice } from '@bloomery/siderolink';
import { type PeerState, parseWireguardKey } from '@bloomery/wire';

/** The machines of the link, and the device's peers that follow them. */
export interface LinkPeers {
  /**
   * Make the device hold what this binding says; resolves when it does (at once without a device). States older than one
   * seen before are ignored, so a late cache cannot undo a provision.
   */
  put(binding: ServerBinding): Promise<void>;
  /** The binding is gone: so is its peer. */
  remove(binding: ServerBinding): Promise<void>;
  /** Use this device from now on: it gets all peers first. undefined: the link is down. */
  attach(device: WireguardDevice | undefined): Promise<void>;
  /** Name of the binding that owns a bare address. */
  serverAt(address: string): string | undefined;
  /** Name of the binding that owns a public key. */
  serverWithKey(publicKey: string): string | undefined;
  /** What the device says of each machine's peer, by binding name; empty without a device. */
  states(): Promise<ReadonlyMap<string, PeerState>>;
}

interface Member {
  readonly uid: string | undefined;
  readonly generation: number;
  /** Absent: the machine has not asked for an address yet. */
  readonly peer: { readonly publicKey: string; readonly address: string } | undefined;
}

interface KnownPeer {
  readonly publicKey: string;
  readonly allowedIps: readonly string[];
  readonly keepaliveSeconds: number;
}

/** Make an empty set of machines. Device changes are batched and strictly one after another. */
export function createLinkPeers(log: Logger): LinkPeers {
  const members = new Map<string, Member>();
  const byAddress = new Map<string, string>();
  const byKey = new Map<string, string>();
  let known = new Map<string, KnownPeer>();
  let device: WireguardDevice | undefined;
  let waiting: PeerEvent[] = [];
  let running: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    if (device === undefined || batch.length === 0) return;
    const updates = planPeers(batch, [...known.values()].filter(isNamedIn(batch)));
    if (updates.length === 0) return;
    await device.update({ peers: updates });
    for (const { publicKey, remove, allowedIps } of updates) {
      if (remove) known.delete(publicKey);
      else known.set(publicKey, { publicKey, allowedIps, keepaliveSeconds: 0 });
    }
  };
  const apply = (events: readonly PeerEvent[]): Promise<void> => {
    waiting.push(...events);
    const done = running.then(flush);
    running = done.catch(() => {});
    return done;
  };
  const replace = (name: string, next: Member | undefined): Promise<void> => {
    const before = members.get(name)?.peer;
    const after = next?.peer;
    if (next === undefined) members.delete(name);
    else members.set(name, next);
    if (before !== undefined && byAddress.get(before.address) === name) byAddress.delete(before.address);
    if (before !== undefined && byKey.get(before.publicKey) === name) byKey.delete(before.publicKey);
    if (after !== undefined) {
      byAddress.set(after.address, name);
      byKey.set(after.publicKey, name);
    }
    const gone = before !== undefined && before.publicKey !== after?.publicKey ? [wish(before, true)] : [];
    return apply([...gone, ...(after === undefined ? [] : [wish(after, false)])]);
  };
  return {
    put: (binding) => {
      const next = memberOf(binding, log);
      const have = members.get(binding.metadata.name);
      const isOld = have !== undefined && have.uid === next.uid && have.generation > next.generation;
      return isOld ? running : replace(binding.metadata.name, next);
    },
    remove: (binding) => {
      const { name, uid } = binding.metadata;
      return members.get(name)?.uid === uid ? replace(name, undefined) : running;
    },
    attach: async (next) => {
      await running;
      device = undefined;
      known = new Map();
      if (next === undefined) return;
      const peers = [...members.values()].flatMap((member) => member.peer ?? []);
      const updates = planPeers(
        peers.map((peer) => wish(peer, false)),
        [],
      );
      await next.update({ replacePeers: true, peers: updates });
      for (const { publicKey, allowedIps } of updates)
        known.set(publicKey, { publicKey, allowedIps, keepaliveSeconds: 0 });
      device = next;
      // Whatever was provisioned or removed while the device was being filled.
      const now = [...members.values()].flatMap((member) => member.peer ?? []);
      const kept = new Set(now.map((peer) => peer.publicKey));
      const gone = [...known.keys()].filter((publicKey) => !kept.has(publicKey));
      await apply([
        ...gone.map((publicKey) => wish({ publicKey, address: '' }, true)),
        ...now.map((peer) => wish(peer, false)),
      ]);
    },
    serverAt: (address) => byAddress.get(address),
    serverWithKey: (publicKey) => byKey.get(publicKey),
    states: async () => {
      if (device === undefined) return new Map();
      const { peers } = await device.state();
      const stateOf = new Map(peers.map((peer) => [peer.publicKey, peer]));
      return new Map(
        [...members].flatMap(([name, { peer }]) => {
          const state = peer === undefined ? undefined : stateOf.get(peer.publicKey);
          return state === undefined ? [] : [[name, state] as const];
        }),
      );
    },
  };
}

function isNamedIn(batch: readonly PeerEvent[]): (peer: KnownPeer) => boolean {
  const keys = new Set(batch.map((event) => event.publicKey));
  return (peer) => keys.has(peer.publicKey);
}

function wish(peer: { readonly publicKey: string; readonly address: string }, remove: boolean): PeerEvent {
  return { ...peer, remove };
}

/** A binding written by hand may hold anything: what is not an address and a key is no peer. */
function memberOf(binding: ServerBinding, log: Logger): Member {
  const { name, uid, generation = 0 } = binding.metadata;
  const link = binding.spec?.siderolink;
  const member = { uid, generation, peer: undefined };
  if (link === undefined) return member;
  const address = bareLinkAddress(link.address);
  if (address === undefined || parseWireguardKey(link.publicKey) === undefined) {
    log.warn('link.bad_binding', { server: name, error: errorText('spec.siderolink is not an address and a key') });
    return member;
  }
  return { ...member, peer: { publicKey: link.publicKey, address } };
}
