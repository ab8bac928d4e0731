import { type Clock, errorText, type Logger } from '@bloomery/ports';
import { type KnownPeer, planPeers, type WireguardDevice } from '@bloomery/siderolink';
import type { DeviceState, PeerUpdate } from '@bloomery/wire';

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

/** A device whose peers follow what is wanted. */
export interface DevicePeers {
  /** Resolves when the device holds what is wanted for these keys; at once without a device. Rejects when it refused. */
  follow(publicKeys: readonly string[]): Promise<void>;
  /**
   * Use this device from now on; resolves when it has exactly the wanted peers, with the public keys of those that it did
   * not have and that were given an endpoint. Peers that are as wanted are not touched. undefined: there is no device.
   */
  attach(device: WireguardDevice | undefined): Promise<readonly string[]>;
  /** Make the device send these peers a handshake, or a keepalive where there is a session: at new endpoints, if given. */
  call(publicKeys: readonly string[], endpoints?: ReadonlyMap<string, string>): Promise<void>;
  /** What the device says now; undefined without one. */
  state(): Promise<DeviceState | undefined>;
}

/** What following needs. */
export interface DevicePeersDeps {
  readonly wanted: WantedPeers;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Peers in one request to a fresh device: a fifth of the time that a request may take, on a busy machine. */
const PEERS_PER_UPDATE = 2_000;
const RETRY_MS = 1_000;
const CALL_KEEPALIVE_SECONDS = 25;

/**
 * Keep the peers of a device as they are wanted. Changes of one event-loop turn, and those that come while the device is
 * busy, are one request; requests are strictly one after another. A request that fails is repeated with what is wanted
 * then, every second until it succeeds: nobody but a machine would notice a missing peer.
 */
export function createDevicePeers({ wanted, clock, log }: DevicePeersDeps): DevicePeers {
  const known = new Map<string, KnownPeer>();
  const dirty = new Set<string>();
  let device: WireguardDevice | undefined;
  let tail: Promise<void> = Promise.resolve();
  let scheduled: Promise<void> | undefined;
  let cancelRetry: (() => void) | undefined;
  let isRefusing = false;

  const inTurn = <R>(work: () => Promise<R>): Promise<R> => {
    const done = tail.then(work);
    tail = done.then(
      () => {},
      () => {},
    );
    return done;
  };
  const plan = (keys: readonly string[], isNew: boolean): readonly PeerUpdate[] => {
    const updates = planPeers(
      keys.map((publicKey) => {
        const peer = wanted.peer(publicKey);
        if (peer === undefined) return { publicKey, address: '', remove: true };
        const endpoint = isNew && !known.has(publicKey) ? peer.endpoint : undefined;
        return { publicKey, address: peer.address, remove: false, ...(endpoint === undefined ? {} : { endpoint }) };
      }),
      keys.flatMap((publicKey) => known.get(publicKey) ?? []),
    );
    // An address belongs to the peer that was given it last: old owners go first.
    return [...updates.filter((update) => update.remove), ...updates.filter((update) => !update.remove)];
  };
  const send = async (target: WireguardDevice, updates: readonly PeerUpdate[]): Promise<void> => {
    for (let at = 0; at < updates.length; at += PEERS_PER_UPDATE) {
      const part = updates.slice(at, at + PEERS_PER_UPDATE);
      try {
        await target.update({ peers: part });
      } catch (error) {
        // Some of them may be in force: the next plan must neither skip them nor take them for strangers.
        for (const { publicKey } of updates.slice(at)) {
          dirty.add(publicKey);
          known.set(publicKey, { publicKey, allowedIps: [], keepaliveSeconds: 0 });
        }
        throw error;
      }
      for (const { publicKey, remove, allowedIps } of part) {
        if (remove) known.delete(publicKey);
        else known.set(publicKey, { publicKey, allowedIps, keepaliveSeconds: 0 });
      }
    }
  };
  const flush = async (): Promise<void> => {
    const keys = [...dirty];
    dirty.clear();
    if (device === undefined || keys.length === 0) return;
    try {
      await send(device, plan(keys, false));
      isRefusing = false;
    } catch (error) {
      const tell = isRefusing ? log.debug : log.warn;
      tell.call(log, 'link.peers_not_set', { peers: dirty.size, error: errorText(error) });
      isRefusing = true;
      cancelRetry ??= clock.after(RETRY_MS, () => {
        cancelRetry = undefined;
        follow([]).catch(() => {});
      });
      throw error;
    }
  };
  const follow = (publicKeys: readonly string[]): Promise<void> => {
    for (const publicKey of publicKeys) dirty.add(publicKey);
    scheduled ??= inTurn(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      scheduled = undefined;
      await flush();
    });
    return scheduled;
  };
  return {
    follow,
    attach: (next) =>
      inTurn(async () => {
        device = undefined;
        cancelRetry?.();
        cancelRetry = undefined;
        known.clear();
        dirty.clear();
        if (next === undefined) return [];
        const { peers } = await next.state();
        for (const { publicKey, allowedIps, keepaliveSeconds } of peers)
          known.set(publicKey, { publicKey, allowedIps, keepaliveSeconds });
        const updates = plan([...new Set([...known.keys(), ...wanted.keys()])], true);
        await send(next, updates);
        device = next;
        return updates.flatMap(({ publicKey, endpoint }) => (endpoint === undefined ? [] : [publicKey]));
      }),
    call: (publicKeys, endpoints) =>
      inTurn(async () => {
        const there = publicKeys.filter((publicKey) => known.has(publicKey));
        if (device === undefined || there.length === 0) return;
        const peer = { remove: false, replaceAllowedIps: false, allowedIps: [] };
        const at = (publicKey: string): { endpoint?: string } => {
          const endpoint = endpoints?.get(publicKey);
          return endpoint === undefined ? {} : { endpoint };
        };
        // Turning the keepalive on sends one at once; it is the machine's task to keep the link alive, so off it goes again.
        await device.update({
          peers: [CALL_KEEPALIVE_SECONDS, 0].flatMap((keepaliveSeconds) =>
            there.map((publicKey) => ({ ...peer, ...at(publicKey), publicKey, keepaliveSeconds })),
          ),
        });
      }),
    state: async () => device?.state(),
  };
}
