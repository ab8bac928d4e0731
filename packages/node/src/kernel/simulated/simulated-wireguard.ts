import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { KernelLink, KernelLinks } from '../kernel.ts';
import type {
  KernelWireguard,
  WireguardPatch,
  WireguardPeerPatch,
  WireguardPeerState,
  WireguardState,
} from '../kernel-wireguard.ts';
import { refusal, type SimulatedHost } from './simulated-host.ts';

const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');
const NOTHING: WireguardState = { privateKey: '', publicKey: '', listenPort: 0, firewallMark: 0, peers: [] };

/**
 * WireGuard devices that keep what they are told.
 *
 * @param readFirst How the device of a link is before it is told anything; undefined: nothing is set.
 */
export function simulatedWireguard(
  host: SimulatedHost,
  links: KernelLinks,
  readFirst: (link: KernelLink) => Promise<WireguardState | undefined>,
): KernelWireguard {
  const devices = new Map<number, WireguardState>();
  const read = async (name: string): Promise<{ link: KernelLink; state: WireguardState } | undefined> => {
    const link = host.view.linkByName(name);
    if (link?.kind !== 'wireguard') return undefined;
    return { link, state: devices.get(link.index) ?? (await readFirst(link)) ?? NOTHING };
  };
  return {
    create: (name) => links.create({ name, kind: 'wireguard' }),
    read: async (name) => (await read(name))?.state,
    configure: async (name, patch) => {
      const device = await read(name);
      if (device === undefined) throw refusal(`setting up WireGuard of ${name}`, 'ENODEV');
      devices.set(device.link.index, applyPatch(device.state, patch));
      host.view.putLink(device.link);
    },
  };
}

function applyPatch(state: WireguardState, patch: WireguardPatch): WireguardState {
  const peers = new Map(state.peers.map((peer) => [peer.publicKey, peer]));
  for (const change of patch.peers) {
    const old = peers.get(change.publicKey);
    if (change.remove) peers.delete(change.publicKey);
    else if (old !== undefined || !change.updateOnly) peers.set(change.publicKey, applyPeer(old, change));
  }
  const { privateKey = state.privateKey, listenPort = state.listenPort, firewallMark = state.firewallMark } = patch;
  return { privateKey, publicKey: publicKeyOf(privateKey), listenPort, firewallMark, peers: [...peers.values()] };
}

function applyPeer(old: WireguardPeerState | undefined, change: WireguardPeerPatch): WireguardPeerState {
  const allowed = change.replaceAllowedIPs ? [] : (old?.allowedIPs ?? []);
  const oldKey = change.replaceAllowedIPs ? '' : (old?.presharedKey ?? '');
  return {
    publicKey: change.publicKey,
    presharedKey: change.presharedKey ?? oldKey,
    endpoint: change.endpoint ?? old?.endpoint ?? '',
    keepaliveSeconds: change.keepaliveSeconds ?? old?.keepaliveSeconds ?? 0,
    allowedIPs: [...new Set([...allowed, ...change.allowedIPs])],
    lastHandshakeMs: old?.lastHandshakeMs ?? 0,
    receivedBytes: old?.receivedBytes ?? 0,
    sentBytes: old?.sentBytes ?? 0,
  };
}

function publicKeyOf(privateKey: string): string {
  const raw = Buffer.from(privateKey, 'base64');
  if (raw.length !== 32) return '';
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, raw]), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
}
