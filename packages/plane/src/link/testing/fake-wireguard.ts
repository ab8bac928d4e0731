import type { WireguardDevice } from '@bloomery/siderolink';
import type { DeviceUpdate, PeerState } from '@bloomery/wire';

/** A WireGuard device in memory that behaves like a real one towards its peers and their addresses. */
export interface FakeWireguard extends WireguardDevice {
  /** All updates so far. */
  readonly updates: readonly DeviceUpdate[];
  /** `key address endpoint` of each peer. */
  list(): readonly string[];
  /** Refuse this many updates, after having applied the first peer of each. */
  failNext(count: number): void;
  /** What the next looks say of a peer. */
  set(publicKey: string, state: Partial<PeerState>): void;
  /** The device goes away on its own. */
  lose(reason: string): void;
  /** Wait with updates until the returned function is called. */
  hold(): () => void;
}

/** Make an empty device. */
export function fakeWireguard(): FakeWireguard {
  const updates: DeviceUpdate[] = [];
  const held = new Map<string, PeerState>();
  const lost = Promise.withResolvers<string>();
  let failures = 0;
  let gate: Promise<void> = Promise.resolve();
  const apply = (peer: NonNullable<DeviceUpdate['peers']>[number]): void => {
    if (peer.remove) return void held.delete(peer.publicKey);
    const have = held.get(peer.publicKey);
    for (const [key, other] of held) {
      const rest = other.allowedIps.filter((cidr) => !peer.allowedIps.includes(cidr));
      if (key !== peer.publicKey) held.set(key, { ...other, allowedIps: rest });
    }
    held.set(peer.publicKey, {
      receivedBytes: 0,
      sentBytes: 0,
      ...have,
      publicKey: peer.publicKey,
      allowedIps: peer.replaceAllowedIps ? peer.allowedIps : [...(have?.allowedIps ?? []), ...peer.allowedIps],
      keepaliveSeconds: peer.keepaliveSeconds ?? have?.keepaliveSeconds ?? 0,
      ...(peer.endpoint === undefined ? {} : { endpoint: peer.endpoint }),
    });
  };
  return {
    interfaceName: 'fake0',
    backend: 'userspace',
    lost: lost.promise,
    updates,
    list: () => [...held.values()].map((peer) => [peer.publicKey, ...peer.allowedIps, peer.endpoint ?? '-'].join(' ')),
    failNext: (count) => {
      failures = count;
    },
    set: (publicKey, state) => {
      const have = held.get(publicKey);
      if (have !== undefined) held.set(publicKey, { ...have, ...state });
    },
    lose: lost.resolve,
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    update: async (update) => {
      await gate;
      updates.push(update);
      const [first, ...rest] = update.peers ?? [];
      if (first !== undefined) apply(first);
      if (failures > 0) {
        failures--;
        throw new Error('the device refused');
      }
      for (const peer of rest) apply(peer);
    },
    state: async () => ({ listenPort: 51_821, peers: [...held.values()] }),
    [Symbol.asyncDispose]: async () => {},
  };
}
