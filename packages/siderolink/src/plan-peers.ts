import { BloomeryError } from '@bloomery/ports';
import { type PeerState, type PeerUpdate, parseWireguardKey } from '@bloomery/wire';

/** A wish about one peer: it shall be there with this address, or be gone. */
export interface PeerEvent {
  /** base64 */
  readonly publicKey: string;
  /** Node address without prefix length. */
  readonly address: string;
  readonly remove: boolean;
  /** `host:port` */
  readonly endpoint?: string;
  /** Absent: whatever it is. */
  readonly keepaliveSeconds?: number;
}

/** What the plan must know of a peer that the device has. */
export type KnownPeer = Pick<PeerState, 'publicKey' | 'allowedIps' | 'keepaliveSeconds'>;

/**
 * The device changes for a batch of wishes: the last wish per key wins, order is that of the raw key bytes, peers that
 * are already as wished are left alone, unknown keys are not removed.
 *
 * @throws BloomeryError BLM_LINK_KEY_INVALID for a key that is not one; nothing is planned then.
 * @see spec/siderolink.md section 6
 */
export function planPeers(events: readonly PeerEvent[], devicePeers: readonly KnownPeer[]): readonly PeerUpdate[] {
  const known = new Map(devicePeers.map((peer) => [peer.publicKey, peer]));
  const last = new Map(events.map((event) => [rawKey(event.publicKey), event]));
  return [...last.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, event]) => planPeer(event, known.get(event.publicKey)));
}

function planPeer(event: PeerEvent, known: KnownPeer | undefined): readonly PeerUpdate[] {
  const { publicKey, endpoint, keepaliveSeconds } = event;
  if (event.remove) {
    return known === undefined ? [] : [{ publicKey, remove: true, replaceAllowedIps: false, allowedIps: [] }];
  }
  const allowed = `${event.address}/128`;
  const hasAddress = known?.allowedIps.length === 1 && known.allowedIps[0] === allowed;
  const hasKeepalive = keepaliveSeconds === undefined || keepaliveSeconds === known?.keepaliveSeconds;
  if (hasAddress && hasKeepalive) return [];
  return [
    {
      publicKey,
      remove: false,
      replaceAllowedIps: true,
      allowedIps: [allowed],
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(keepaliveSeconds === undefined ? {} : { keepaliveSeconds }),
    },
  ];
}

/** Hex of the key, which sorts as its bytes do. */
function rawKey(publicKey: string): string {
  const raw = parseWireguardKey(publicKey);
  if (raw === undefined) throw new BloomeryError('BLM_LINK_KEY_INVALID', 'a peer key is not 32 bytes in base64');
  return Buffer.from(raw).toString('hex');
}
