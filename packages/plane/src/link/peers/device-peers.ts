import { type Clock, errorText, type Logger } from '@bloomery/ports';
import type { WireguardDevice } from '@bloomery/siderolink';
import type { DeviceState, PeerUpdate } from '@bloomery/wire';
import { createDeviceMirror, type WantedPeers } from './device-mirror.ts';

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
  const mirror = createDeviceMirror(wanted);
  const dirty = new Set<string>();
  const inTurn = createTurns();
  let device: WireguardDevice | undefined;
  let scheduled: Promise<void> | undefined;
  let cancelRetry: (() => void) | undefined;
  let isRefusing = false;

  const send = async (target: WireguardDevice, updates: readonly PeerUpdate[]): Promise<void> => {
    for (let at = 0; at < updates.length; at += PEERS_PER_UPDATE) {
      const peers = updates.slice(at, at + PEERS_PER_UPDATE);
      try {
        await target.update({ peers });
      } catch (error) {
        const left = updates.slice(at);
        mirror.mayHaveTaken(left);
        for (const { publicKey } of left) dirty.add(publicKey);
        throw error;
      }
      mirror.took(peers);
    }
  };
  const flush = async (): Promise<void> => {
    const keys = [...dirty];
    dirty.clear();
    if (device === undefined || keys.length === 0) return;
    try {
      await send(device, mirror.plan(keys));
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
  const attach = async (next: WireguardDevice | undefined): Promise<readonly string[]> => {
    device = undefined;
    cancelRetry?.();
    cancelRetry = undefined;
    mirror.reset([]);
    dirty.clear();
    if (next === undefined) return [];
    mirror.reset((await next.state()).peers);
    const updates = mirror.planAll();
    await send(next, updates);
    device = next;
    return updates.flatMap(({ publicKey, endpoint }) => (endpoint === undefined ? [] : [publicKey]));
  };
  return {
    follow,
    attach: (next) => inTurn(() => attach(next)),
    call: (publicKeys, endpoints) =>
      inTurn(async () => {
        const there = publicKeys.filter((publicKey) => mirror.has(publicKey));
        if (device !== undefined && there.length > 0) await device.update({ peers: callOf(there, endpoints) });
      }),
    state: async () => device?.state(),
  };
}

/** Runs work strictly one after another. */
function createTurns(): <R>(work: () => Promise<R>) => Promise<R> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = tail.then(work);
    tail = done.catch(() => {});
    return done;
  };
}

/** Turning the keepalive on sends one at once; it is the machine's task to keep the link alive, so off it goes again. */
function callOf(
  publicKeys: readonly string[],
  endpoints: ReadonlyMap<string, string> | undefined,
): readonly PeerUpdate[] {
  return [CALL_KEEPALIVE_SECONDS, 0].flatMap((keepaliveSeconds) =>
    publicKeys.map((publicKey) => {
      const endpoint = endpoints?.get(publicKey);
      const peer = { publicKey, remove: false, replaceAllowedIps: false, allowedIps: [], keepaliveSeconds };
      return endpoint === undefined ? peer : { ...peer, endpoint };
    }),
  );
}
