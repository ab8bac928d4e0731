import { formatIpv6 } from '../ipv6.ts';
import { formatWireguardKey, parseWireguardKey } from '../wireguard/wireguard-key.ts';
import { GENL_HEAD, startGenl } from './genl.ts';
import { type NetlinkBytes, netlinkMalformed } from './netlink-bytes.ts';
import { ipBytes, type NetlinkWriter } from './netlink-writer.ts';
import { AF_INET, AF_INET6 } from './rtnl.ts';

const WG_CMD_GET_DEVICE = 0;
const WG_CMD_SET_DEVICE = 1;
const DEVICE_IFNAME = 2;
const DEVICE_PRIVATE_KEY = 3;
const DEVICE_PUBLIC_KEY = 4;
const DEVICE_LISTEN_PORT = 6;
const DEVICE_FWMARK = 7;
const DEVICE_PEERS = 8;
const PEER_PUBLIC_KEY = 1;
const PEER_PRESHARED_KEY = 2;
const PEER_FLAGS = 3;
const PEER_ENDPOINT = 4;
const PEER_KEEPALIVE = 5;
const PEER_ALLOWED_IPS = 9;
const REMOVE_ME = 1;
const REPLACE_ALLOWED_IPS = 2;
const UPDATE_ONLY = 4;
/** Attributes hold 65535 bytes at most: peers are told in several messages above this. */
const MESSAGE_BYTES = 16 * 1024;
const ALLOWED_IPS_PER_MESSAGE = 500;

/** A device as the kernel tells it. Keys are base64. */
export interface WireguardDump {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly listenPort: number;
  readonly firewallMark: number;
  readonly peers: readonly WireguardPeerDump[];
}

/** A peer as the kernel tells it. */
export interface WireguardPeerDump {
  readonly publicKey: string;
  /** Empty: none. */
  readonly presharedKey: string;
  /** `host:port`, IPv6 in brackets; empty: not known. */
  readonly endpoint: string;
  readonly keepaliveSeconds: number;
  /** CIDRs. */
  readonly allowedIPs: readonly string[];
  /** 0: never. */
  readonly lastHandshakeMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Changes of a device: what is absent stays. */
export interface WireguardChange {
  readonly privateKey?: string;
  readonly listenPort?: number;
  readonly firewallMark?: number;
  readonly peers: readonly WireguardPeerChange[];
}

/** A change of one peer. */
export interface WireguardPeerChange {
  readonly publicKey: string;
  readonly remove: boolean;
  /** Nothing happens when the device does not know the peer. */
  readonly updateOnly: boolean;
  readonly presharedKey?: string;
  readonly endpoint?: string;
  readonly keepaliveSeconds?: number;
  readonly replaceAllowedIPs: boolean;
  readonly allowedIPs: readonly string[];
}

/** Ask for a device and its peers: a dump. */
export function encodeWireguardGet(family: number, name: string): Uint8Array {
  return startGenl({ family, command: WG_CMD_GET_DEVICE, dump: true }).text(DEVICE_IFNAME, name).finish();
}

type PeerDraft = { -readonly [K in keyof WireguardPeerDump]: WireguardPeerDump[K] } & { readonly allowedIPs: string[] };

/** Collects a device from the messages of a dump: peers, and the networks of one peer, may go on in the next message. */
export class WireguardDumpReader {
  #privateKey = '';
  #publicKey = '';
  #listenPort = 0;
  #firewallMark = 0;
  readonly #peers: PeerDraft[] = [];

  /** Take the body of one message. @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED */
  take(bytes: NetlinkBytes, from: number, to: number): void {
    bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
      if (type === DEVICE_PRIVATE_KEY) this.#privateKey = key(bytes, start, end);
      else if (type === DEVICE_PUBLIC_KEY) this.#publicKey = key(bytes, start, end);
      else if (type === DEVICE_LISTEN_PORT) this.#listenPort = bytes.u16(start, end);
      else if (type === DEVICE_FWMARK) this.#firewallMark = bytes.u32(start, end);
      else if (type === DEVICE_PEERS) bytes.attributes(start, end, (_, at, until) => this.#takePeer(bytes, at, until));
    });
  }

  /** What was collected. */
  finish(): WireguardDump {
    return {
      privateKey: this.#privateKey,
      publicKey: this.#publicKey,
      listenPort: this.#listenPort,
      firewallMark: this.#firewallMark,
      peers: this.#peers,
    };
  }

  #takePeer(bytes: NetlinkBytes, from: number, to: number): void {
    const peer = readPeer(bytes, from, to);
    const last = this.#peers.at(-1);
    if (last?.publicKey === peer.publicKey) last.allowedIPs.push(...peer.allowedIPs);
    else this.#peers.push(peer);
  }
}

function readPeer(bytes: NetlinkBytes, from: number, to: number): PeerDraft {
  const peer: PeerDraft = {
    publicKey: '',
    presharedKey: '',
    endpoint: '',
    keepaliveSeconds: 0,
    allowedIPs: [],
    lastHandshakeMs: 0,
    receivedBytes: 0,
    sentBytes: 0,
  };
  bytes.attributes(from, to, (type, start, end) => {
    if (type === PEER_PUBLIC_KEY) peer.publicKey = key(bytes, start, end);
    else if (type === PEER_PRESHARED_KEY) peer.presharedKey = key(bytes, start, end);
    else if (type === PEER_ENDPOINT) peer.endpoint = readEndpoint(bytes, start, end);
    else if (type === PEER_KEEPALIVE) peer.keepaliveSeconds = bytes.u16(start, end);
    else if (type === 6) peer.lastHandshakeMs = readTime(bytes, start, end);
    else if (type === 7) peer.receivedBytes = Number(bytes.u64(start, end));
    else if (type === 8) peer.sentBytes = Number(bytes.u64(start, end));
    else if (type === PEER_ALLOWED_IPS)
      bytes.attributes(start, end, (_, at, until) => peer.allowedIPs.push(readAllowedIp(bytes, at, until)));
  });
  return peer;
}

/** As base64; empty for one of zeros, which is none. */
function key(bytes: NetlinkBytes, from: number, to: number): string {
  if (to - from !== 32) throw netlinkMalformed(`a WireGuard key of ${to - from} bytes`);
  const raw = bytes.bytes(from, to);
  return raw.every((byte) => byte === 0) ? '' : formatWireguardKey(raw);
}

/** A sockaddr. */
function readEndpoint(bytes: NetlinkBytes, from: number, to: number): string {
  const family = bytes.u16(from, to);
  const port = bytes.be16(from + 2, to);
  if (family === AF_INET) return `${bytes.ip(from + 4, from + 8)}:${port}`;
  if (family !== AF_INET6) return '';
  if (to - from < 24) throw netlinkMalformed(`a socket address of ${to - from} bytes`);
  return `[${formatIpv6(bytes.bytes(from + 8, from + 24))}]:${port}`;
}

/** A timespec of 64 bits each. */
function readTime(bytes: NetlinkBytes, from: number, to: number): number {
  return Number(bytes.u64(from, to)) * 1000 + Math.floor(Number(bytes.u64(from + 8, to)) / 1_000_000);
}

function readAllowedIp(bytes: NetlinkBytes, from: number, to: number): string {
  let ip = '';
  let length = 0;
  bytes.attributes(from, to, (type, start, end) => {
    if (type === 2) ip = bytes.ip(start, end);
    else if (type === 3) length = bytes.u8(start, end);
  });
  return `${ip}/${length}`;
}

/**
 * Requests for changes of a device, to be sent in this order. Many peers, or many networks of one, take several.
 *
 * @throws BloomeryError BLM_WIRE_MALFORMED for keys, addresses and endpoints that are none.
 */
export function encodeWireguardSet(family: number, name: string, change: WireguardChange): readonly Uint8Array[] {
  const requests: Uint8Array[] = [];
  const pieces = change.peers.flatMap(inPieces);
  for (let at = 0, isFirst = true; isFirst || at < pieces.length; isFirst = false) {
    const writer = startGenl({ family, command: WG_CMD_SET_DEVICE }).text(DEVICE_IFNAME, name);
    if (isFirst) writeDevice(writer, change);
    if (at < pieces.length)
      writer.nested(DEVICE_PEERS, (list) => {
        do {
          const piece = pieces[at];
          if (piece !== undefined) list.nested(0, (peer) => writePeer(peer, piece));
          at++;
        } while (at < pieces.length && list.length < MESSAGE_BYTES);
      });
    requests.push(writer.finish());
  }
  return requests;
}

/** A peer of many networks in several parts: those behind the first only add. */
function inPieces(peer: WireguardPeerChange): readonly WireguardPeerChange[] {
  const pieces: WireguardPeerChange[] = [];
  const { publicKey, allowedIPs } = peer;
  for (let at = 0; at === 0 || at < allowedIPs.length; at += ALLOWED_IPS_PER_MESSAGE) {
    const part = allowedIPs.slice(at, at + ALLOWED_IPS_PER_MESSAGE);
    const more = { publicKey, remove: false, updateOnly: true, replaceAllowedIPs: false };
    pieces.push(at === 0 ? { ...peer, allowedIPs: part } : { ...more, allowedIPs: part });
  }
  return pieces;
}

function writeDevice(writer: NetlinkWriter, { privateKey, listenPort, firewallMark }: WireguardChange): void {
  if (privateKey !== undefined) writer.bytes(DEVICE_PRIVATE_KEY, keyBytes(privateKey));
  if (listenPort !== undefined) writer.u16(DEVICE_LISTEN_PORT, listenPort);
  if (firewallMark !== undefined) writer.u32(DEVICE_FWMARK, firewallMark);
}

function writePeer(writer: NetlinkWriter, peer: WireguardPeerChange): void {
  const flags =
    (peer.remove ? REMOVE_ME : 0) |
    (peer.replaceAllowedIPs ? REPLACE_ALLOWED_IPS : 0) |
    (peer.updateOnly ? UPDATE_ONLY : 0);
  writer.bytes(PEER_PUBLIC_KEY, keyBytes(peer.publicKey)).u32(PEER_FLAGS, flags);
  if (peer.remove) return;
  if (peer.presharedKey !== undefined) writer.bytes(PEER_PRESHARED_KEY, keyBytes(peer.presharedKey));
  if (peer.endpoint !== undefined && peer.endpoint !== '') writer.bytes(PEER_ENDPOINT, endpointBytes(peer.endpoint));
  if (peer.keepaliveSeconds !== undefined) writer.u16(PEER_KEEPALIVE, peer.keepaliveSeconds);
  if (peer.allowedIPs.length === 0) return;
  writer.nested(PEER_ALLOWED_IPS, (list) => {
    for (const cidr of peer.allowedIPs) {
      const [text = '', length] = cidr.split('/');
      const ip = ipBytes(text);
      list.nested(0, (entry) =>
        entry
          .u16(1, ip.length === 4 ? AF_INET : AF_INET6)
          .bytes(2, ip)
          .u8(3, length === undefined ? ip.length * 8 : Number(length)),
      );
    }
  });
}

/** An empty text is the key of zeros: it takes a preshared key away. */
function keyBytes(text: string): Uint8Array {
  if (text === '') return new Uint8Array(32);
  const bytes = parseWireguardKey(text);
  if (bytes === undefined) throw netlinkMalformed('a WireGuard key that is not 32 bytes in base64');
  return bytes;
}

/** A sockaddr of `host:port`. */
function endpointBytes(endpoint: string): Uint8Array {
  const colon = endpoint.lastIndexOf(':');
  const ip = ipBytes(endpoint.slice(0, colon).replace(/^\[(.*)\]$/, '$1'));
  const port = Number(endpoint.slice(colon + 1));
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw netlinkMalformed(`the endpoint ${JSON.stringify(endpoint)}`);
  const address = Buffer.alloc(ip.length === 4 ? 16 : 28);
  address.writeUInt16LE(ip.length === 4 ? AF_INET : AF_INET6, 0);
  address.writeUInt16BE(port, 2);
  address.set(ip, ip.length === 4 ? 4 : 8);
  return address;
}
