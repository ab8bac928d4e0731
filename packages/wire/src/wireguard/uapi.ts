import { BloomeryError } from '@bloomery/ports';
import { parseWireguardKey, WIREGUARD_KEY_BYTES, wireguardKeyHex } from './wireguard-key.ts';

/** One change of a peer. Keys are base64. */
export interface PeerUpdate {
  readonly publicKey: string;
  readonly remove: boolean;
  readonly replaceAllowedIps: boolean;
  /** CIDRs. */
  readonly allowedIps: readonly string[];
  /** `host:port`, IPv6 in brackets; absent: left as it is. */
  readonly endpoint?: string;
  /** Seconds; absent: left as it is. */
  readonly keepaliveSeconds?: number;
  /** base64; empty: none; absent: left as it is. */
  readonly presharedKey?: string;
  /** Nothing happens when the device does not know the peer. */
  readonly updateOnly?: boolean;
}

/** Changes of a device, applied in one request. */
export interface DeviceUpdate {
  /** base64 */
  readonly privateKey?: string;
  readonly listenPort?: number;
  readonly firewallMark?: number;
  readonly replacePeers?: boolean;
  readonly peers?: readonly PeerUpdate[];
}

/** A peer as the device reports it. */
export interface PeerState {
  /** base64 */
  readonly publicKey: string;
  readonly allowedIps: readonly string[];
  /** `host:port` the peer was last heard from, or was told to be at. */
  readonly endpoint?: string;
  readonly keepaliveSeconds: number;
  /** Milliseconds since the epoch; absent: never. */
  readonly lastHandshakeMs?: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** A device as it reports itself. */
export interface DeviceState {
  readonly listenPort: number;
  readonly peers: readonly PeerState[];
}

/** What a device keeps secret, and what only its owner asks for. Never written to a log. */
export interface DeviceSecrets {
  /** base64; empty: none. */
  readonly privateKey: string;
  readonly firewallMark: number;
  /** base64, by public key; peers without one are not there. */
  readonly presharedKeys: ReadonlyMap<string, string>;
}

/** 32 bytes of 0, in base64: no key. */
const NO_KEY = `${'A'.repeat(43)}=`;

/** Most peers that are read from one device. */
const PEERS_MAX = 100_000;

/**
 * The text of a `set` request. The device applies line by line: lines before a bad one stay applied.
 *
 * @throws BloomeryError BLM_WIRE_MALFORMED for a key that is not one, or a value that breaks the line.
 * @see wireguard.com/xplatform, section "Cross-platform userspace implementation"
 */
export function encodeUapiSet(update: DeviceUpdate): string {
  const lines = ['set=1'];
  if (update.privateKey !== undefined) lines.push(`private_key=${hexOf(update.privateKey)}`);
  if (update.listenPort !== undefined) lines.push(`listen_port=${update.listenPort}`);
  if (update.firewallMark !== undefined) lines.push(`fwmark=${update.firewallMark}`);
  if (update.replacePeers === true) lines.push('replace_peers=true');
  for (const peer of update.peers ?? []) lines.push(...peerLines(peer));
  const broken = lines.find((line) => /[\r\n]/.test(line));
  if (broken !== undefined) throw malformed('a value of a WireGuard set request holds a line break');
  return `${lines.join('\n')}\n\n`;
}

/** The text of a `get` request. */
export const UAPI_GET = 'get=1\n\n';

/** Whether `text` holds a whole answer: it ends with an empty line. */
export function isWholeUapiAnswer(text: string): boolean {
  return text.endsWith('\n\n');
}

/**
 * The error number of an answer: 0 for success, negative POSIX numbers otherwise.
 *
 * @throws BloomeryError BLM_WIRE_MALFORMED when the answer has none.
 */
export function uapiErrno(text: string): number {
  const found = /(?:^|\n)errno=(-?\d{1,9})\n/.exec(text.slice(-64));
  if (found === null) throw malformed('a WireGuard answer has no errno line');
  return Number(found[1]);
}

/**
 * Read the answer to a `get` request; unknown keys are skipped.
 *
 * @throws BloomeryError BLM_WIRE_MALFORMED for broken lines or more than 100,000 peers.
 */
export function decodeUapiGet(text: string): DeviceState {
  let listenPort = 0;
  const peers: PeerDraft[] = [];
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (line === '') continue;
    if (at < 1) throw malformed('a line of a WireGuard answer has no key');
    const key = line.slice(0, at);
    const value = line.slice(at + 1);
    const peer = peers.at(-1);
    if (key === 'public_key') peers.push(newPeer(value));
    else if (key === 'listen_port') listenPort = whole(value);
    else if (peer !== undefined) readPeerLine(peer, key, value);
    if (peers.length > PEERS_MAX) throw malformed(`a WireGuard device has more than ${PEERS_MAX} peers`);
  }
  return { listenPort, peers: peers.map(finishPeer) };
}

/**
 * Read from the same answer what `decodeUapiGet` leaves out.
 *
 * @throws BloomeryError BLM_WIRE_MALFORMED for keys and numbers that are none.
 */
export function decodeUapiSecrets(text: string): DeviceSecrets {
  let privateKey = '';
  let firewallMark = 0;
  let peer = '';
  const presharedKeys = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [key = '', value = ''] = line.split('=', 2);
    if (key === 'public_key') peer = base64Of(value);
    else if (key === 'private_key') privateKey = base64Of(value);
    else if (key === 'fwmark') firewallMark = whole(value);
    else if (key === 'preshared_key' && base64Of(value) !== NO_KEY) presharedKeys.set(peer, base64Of(value));
  }
  return { privateKey: privateKey === NO_KEY ? '' : privateKey, firewallMark, presharedKeys };
}

interface PeerDraft {
  readonly publicKey: string;
  readonly allowedIps: string[];
  endpoint?: string;
  keepaliveSeconds: number;
  handshakeSeconds: number;
  handshakeNanos: number;
  receivedBytes: number;
  sentBytes: number;
}

function base64Of(hex: string): string {
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw malformed(`a WireGuard answer holds a key that is not ${WIREGUARD_KEY_BYTES} bytes`);
  return Buffer.from(hex, 'hex').toString('base64');
}

function newPeer(hex: string): PeerDraft {
  return {
    publicKey: base64Of(hex),
    allowedIps: [],
    keepaliveSeconds: 0,
    handshakeSeconds: 0,
    handshakeNanos: 0,
    receivedBytes: 0,
    sentBytes: 0,
  };
}

function readPeerLine(peer: PeerDraft, key: string, value: string): void {
  if (key === 'allowed_ip') peer.allowedIps.push(value);
  else if (key === 'endpoint') peer.endpoint = value;
  else if (key === 'persistent_keepalive_interval') peer.keepaliveSeconds = whole(value);
  else if (key === 'last_handshake_time_sec') peer.handshakeSeconds = whole(value);
  else if (key === 'last_handshake_time_nsec') peer.handshakeNanos = whole(value);
  else if (key === 'rx_bytes') peer.receivedBytes = whole(value);
  else if (key === 'tx_bytes') peer.sentBytes = whole(value);
}

function finishPeer({ handshakeSeconds, handshakeNanos, ...peer }: PeerDraft): PeerState {
  if (handshakeSeconds === 0) return peer;
  return { ...peer, lastHandshakeMs: handshakeSeconds * 1000 + Math.floor(handshakeNanos / 1_000_000) };
}

function peerLines(peer: PeerUpdate): readonly string[] {
  const lines = [`public_key=${hexOf(peer.publicKey)}`];
  if (peer.remove) return [...lines, 'remove=true'];
  if (peer.updateOnly === true) lines.push('update_only=true');
  if (peer.presharedKey !== undefined) lines.push(`preshared_key=${hexOf(peer.presharedKey || NO_KEY)}`);
  if (peer.endpoint !== undefined) lines.push(`endpoint=${peer.endpoint}`);
  if (peer.keepaliveSeconds !== undefined) lines.push(`persistent_keepalive_interval=${peer.keepaliveSeconds}`);
  if (peer.replaceAllowedIps) lines.push('replace_allowed_ips=true');
  return [...lines, ...peer.allowedIps.map((cidr) => `allowed_ip=${cidr}`)];
}

function hexOf(key: string): string {
  const bytes = parseWireguardKey(key);
  if (bytes === undefined) throw malformed('a WireGuard key is not 32 bytes in base64');
  return wireguardKeyHex(bytes);
}

function whole(value: string): number {
  if (!/^\d{1,20}$/.test(value)) throw malformed('a WireGuard answer holds a number that is not one');
  return Number(value);
}

function malformed(message: string): BloomeryError {
  return new BloomeryError('BLM_WIRE_MALFORMED', message);
}
