import { compareIps, maskedPrefix, parseAddressOrPrefix } from '../ip/ip-prefix.ts';
import { NO_PRESHARED_KEY, type WireguardPatch, type WireguardPeerPatch } from '../kernel/kernel-wireguard.ts';
import { compareTexts } from '../layers/compare-texts.ts';
import type { LinkSpec } from '../resources/links.ts';

type Wanted = LinkSpec['wireguard'];
type WantedPeer = Wanted['peers'][number];

/** What of a device is compared: as the kernel tells it. */
export interface PresentWireguard {
  readonly privateKey: string;
  readonly listenPort: number;
  readonly firewallMark: number;
  readonly peers: readonly PresentPeer[];
}

export interface PresentPeer {
  readonly publicKey: string;
  readonly presharedKey: string;
  readonly endpoint: string;
  readonly keepaliveSeconds: number;
  readonly allowedIPs: readonly string[];
}

/**
 * What a device must be told to be as wanted; undefined: nothing. A peer that differs in anything is sent as a whole; one that is not
 * wanted is removed by itself, so that the others keep their sessions. A listen port of 0 and an empty endpoint leave what is there.
 *
 * @see spec/node.md section 10
 */
export function wireguardPatch(present: PresentWireguard, wanted: Wanted): WireguardPatch | undefined {
  const { privateKey, listenPort, firewallMark } = wanted;
  const device = {
    ...(privateKey === '' || privateKey === present.privateKey ? {} : { privateKey }),
    ...(listenPort === 0 || listenPort === present.listenPort ? {} : { listenPort }),
    ...(firewallMark === present.firewallMark ? {} : { firewallMark }),
  };
  const peers = peerPatches(present.peers, wanted.peers);
  return Object.keys(device).length === 0 && peers.length === 0 ? undefined : { ...device, peers };
}

function peerPatches(present: readonly PresentPeer[], wanted: readonly WantedPeer[]): readonly WireguardPeerPatch[] {
  const have = new Map(present.map((peer) => [peer.publicKey, peer]));
  // The last of several with one key is the one that the kernel would keep.
  const want = new Map(wanted.map((peer) => [peer.publicKey, peer]));
  return [...new Set([...have.keys(), ...want.keys()])].toSorted(compareTexts).flatMap((publicKey) => {
    const [old, peer] = [have.get(publicKey), want.get(publicKey)];
    if (peer === undefined) {
      return [{ publicKey, remove: true, updateOnly: false, replaceAllowedIPs: false, allowedIPs: [] }];
    }
    return old !== undefined && isSamePeer(old, peer) ? [] : [peerPatch(peer)];
  });
}

function isSamePeer(old: PresentPeer, peer: WantedPeer): boolean {
  const allowed = [old, peer].map(({ allowedIPs }) => normalAllowedIPs(allowedIPs).join());
  return (
    withoutZeroKey(old.presharedKey) === peer.presharedKey &&
    (peer.endpoint === '' || old.endpoint === peer.endpoint) &&
    old.keepaliveSeconds === keepaliveSeconds(peer) &&
    allowed[0] === allowed[1]
  );
}

function peerPatch(peer: WantedPeer): WireguardPeerPatch {
  const { publicKey, presharedKey, endpoint } = peer;
  return {
    publicKey,
    remove: false,
    updateOnly: false,
    ...(presharedKey === '' ? {} : { presharedKey }),
    ...(endpoint === '' ? {} : { endpoint }),
    keepaliveSeconds: keepaliveSeconds(peer),
    replaceAllowedIPs: true,
    allowedIPs: normalAllowedIPs(peer.allowedIPs),
  };
}

/** Networks without the bits behind their lengths, each once, in their order; what is no network is left out. */
function normalAllowedIPs(allowedIPs: readonly string[]): readonly string[] {
  const networks = allowedIPs.map(parseAddressOrPrefix).filter((prefix) => prefix !== undefined);
  const inOrder = networks.map(maskedPrefix).toSorted((a, b) => compareIps(a.address, b.address) || a.bits - b.bits);
  return [...new Set(inOrder.map(({ text }) => text))];
}

const withoutZeroKey = (key: string): string => (key === NO_PRESHARED_KEY ? '' : key);

const keepaliveSeconds = (peer: WantedPeer): number => Math.trunc(peer.persistentKeepaliveInterval / 1000);
