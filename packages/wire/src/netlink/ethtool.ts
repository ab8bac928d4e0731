import { decodeBitset, type EthtoolBit, encodeBits, encodeWholeBitset, namesOf } from './ethtool-bitset.ts';
import { GENL_HEAD, startGenl } from './genl.ts';
import type { NetlinkBytes } from './netlink-bytes.ts';

/** Requests of ethtool's family that ask. */
export const ETHTOOL_MSG_LINKINFO_GET = 2;
export const ETHTOOL_MSG_LINKMODES_GET = 4;
export const ETHTOOL_MSG_LINKSTATE_GET = 6;
export const ETHTOOL_MSG_WOL_GET = 9;
export const ETHTOOL_MSG_FEATURES_GET = 11;
export const ETHTOOL_MSG_RINGS_GET = 15;
export const ETHTOOL_MSG_CHANNELS_GET = 17;
const ETHTOOL_MSG_WOL_SET = 10;
const ETHTOOL_MSG_FEATURES_SET = 12;
const ETHTOOL_MSG_RINGS_SET = 16;
const ETHTOOL_MSG_CHANNELS_SET = 18;

const HEADER = 1;
const DEV_INDEX = 1;
const HEADER_FLAGS = 3;
const OMIT_REPLY = 2;
const WOL_BITS = 8;
const SPEED_UNKNOWN = 0xffff_ffff;

/** Ask for one part of a link's settings. */
export function encodeEthtoolGet(family: number, command: number, linkIndex: number): Uint8Array {
  return startGenl({ family, command })
    .nested(HEADER, (header) => header.u32(DEV_INDEX, linkIndex))
    .finish();
}

/** The link that a message of ethtool is about; 0: none. @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED */
export function ethtoolLinkIndex(bytes: NetlinkBytes, from: number, to: number): number {
  let index = 0;
  bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
    if (type === HEADER)
      bytes.attributes(start, end, (kind, first, last) => {
        if (kind === DEV_INDEX) index = bytes.u32(first, last);
      });
  });
  return index;
}

/** Read the answer to LINKSTATE_GET: whether there is a link. @throws BloomeryError as the others */
export function decodeLinkState(bytes: NetlinkBytes, from: number, to: number): boolean {
  let isUp = false;
  bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
    if (type === 2) isUp = bytes.u8(start, end) !== 0;
  });
  return isUp;
}

/** Read the answer to LINKINFO_GET: the number of PORT_*. @throws BloomeryError as the others */
export function decodeLinkInfo(bytes: NetlinkBytes, from: number, to: number): number {
  let port = 255;
  bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
    if (type === 2) port = bytes.u8(start, end);
  });
  return port;
}

/** Speeds and modes of a link. */
export interface EthtoolLinkModes {
  /** 0: unknown. */
  readonly speedMbit: number;
  /** DUPLEX_*; 255: unknown. */
  readonly duplex: number;
  readonly ours: readonly string[];
  readonly peer: readonly string[];
}

/** Read the answer to LINKMODES_GET. @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED */
export function decodeLinkModes(bytes: NetlinkBytes, from: number, to: number): EthtoolLinkModes {
  let speed = SPEED_UNKNOWN;
  let duplex = 255;
  let ours: readonly string[] = [];
  let peer: readonly string[] = [];
  bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
    if (type === 3) ours = namesOf(decodeBitset(bytes, start, end));
    else if (type === 4) peer = namesOf(decodeBitset(bytes, start, end));
    else if (type === 5) speed = bytes.u32(start, end);
    else if (type === 6) duplex = bytes.u8(start, end);
  });
  return { speedMbit: speed === SPEED_UNKNOWN ? 0 : speed, duplex, ours, peer };
}

/** Names as Talos has them, attribute and kind of each. A tcp-data-split of 0 is not known. */
type Settings = readonly (readonly [name: string, type: number, kind: 'u32' | 'bool' | 'split'])[];

const RINGS: Settings = [
  ['rx-max', 2, 'u32'],
  ['rx-mini-max', 3, 'u32'],
  ['rx-jumbo-max', 4, 'u32'],
  ['tx-max', 5, 'u32'],
  ['rx', 6, 'u32'],
  ['rx-mini', 7, 'u32'],
  ['rx-jumbo', 8, 'u32'],
  ['tx', 9, 'u32'],
  ['rx-buf-len', 10, 'u32'],
  ['tcp-data-split', 11, 'split'],
  ['cqe-size', 12, 'u32'],
  ['tx-push', 13, 'bool'],
  ['rx-push', 14, 'bool'],
  ['tx-push-buf-len', 15, 'u32'],
  ['tx-push-buf-len-max', 16, 'u32'],
];
const CHANNELS: Settings = [
  ['rx-max', 2, 'u32'],
  ['tx-max', 3, 'u32'],
  ['other-max', 4, 'u32'],
  ['combined-max', 5, 'u32'],
  ['rx', 6, 'u32'],
  ['tx', 7, 'u32'],
  ['other', 8, 'u32'],
  ['combined', 9, 'u32'],
];

/** Read the answer to RINGS_GET, under ethtool's names. @throws BloomeryError as the others */
export function decodeRings(bytes: NetlinkBytes, from: number, to: number): Readonly<Record<string, number | boolean>> {
  return decodeSettings(RINGS, bytes, from, to);
}

/** Read the answer to CHANNELS_GET, under ethtool's names. @throws BloomeryError as the others */
export function decodeChannels(bytes: NetlinkBytes, from: number, to: number): Readonly<Record<string, number>> {
  const all = Object.entries(decodeSettings(CHANNELS, bytes, from, to));
  return Object.fromEntries(all.map(([name, value]) => [name, Number(value)]));
}

function decodeSettings(settings: Settings, bytes: NetlinkBytes, from: number, to: number) {
  const values: Record<string, number | boolean> = {};
  bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
    const [name, , kind] = settings.find(([, number]) => number === type) ?? [];
    if (name === undefined) return;
    if (kind === 'u32') values[name] = bytes.u32(start, end);
    else if (kind === 'bool') values[name] = bytes.u8(start, end) !== 0;
    else if (bytes.u8(start, end) !== 0) values[name] = bytes.u8(start, end) === 2;
  });
  return values;
}

/** A feature of a card. */
export interface EthtoolFeature {
  readonly name: string;
  readonly on: boolean;
  /** It cannot be changed. */
  readonly fixed: boolean;
  /** What was asked for. */
  readonly wanted: boolean;
}

/** Read the answer to FEATURES_GET. @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED */
export function decodeFeatures(bytes: NetlinkBytes, from: number, to: number): readonly EthtoolFeature[] {
  let changeable: readonly EthtoolBit[] = [];
  let wanted = new Set<string>();
  let active = new Set<string>();
  let fixed = new Set<string>();
  bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
    if (type < 2 || type > 5) return;
    const bits = decodeBitset(bytes, start, end);
    if (type === 2) changeable = bits;
    else if (type === 3) wanted = new Set(namesOf(bits));
    else if (type === 4) active = new Set(namesOf(bits));
    else fixed = new Set(namesOf(bits));
  });
  // Bits that the kernel has no name for cannot be told or changed.
  return changeable
    .filter(({ name }) => name !== '')
    .map(({ name, on }) => ({
      name,
      on: active.has(name),
      fixed: !on || fixed.has(name),
      wanted: wanted.has(name),
    }));
}

/** Wake-on-LAN of a card. */
export interface EthtoolWol {
  /** WAKE_*, those that are on. */
  readonly modes: number;
  readonly supported: number;
}

/** Bits of WAKE_*. @see linux/ethtool.h */
const WOL_NAMES = ['phy', 'ucast', 'mcast', 'bcast', 'arp', 'magic', 'magicsecure', 'filter'];

/** Read the answer to WOL_GET. @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED */
export function decodeWol(bytes: NetlinkBytes, from: number, to: number): EthtoolWol {
  let modes = 0;
  let supported = 0;
  bytes.attributes(from + GENL_HEAD, to, (type, start, end) => {
    if (type !== 2) return;
    for (const { name, on } of decodeBitset(bytes, start, end)) {
      const bit = WOL_NAMES.indexOf(name);
      if (bit < 0) continue;
      supported |= 1 << bit;
      if (on) modes |= 1 << bit;
    }
  });
  return { modes, supported };
}

/** What is changed of a card's settings, each in a request of its own. */
export interface EthtoolChange {
  readonly rings?: Readonly<Record<string, number | boolean>>;
  readonly features?: Readonly<Record<string, boolean>>;
  readonly channels?: Readonly<Record<string, number>>;
  /** WAKE_*. */
  readonly wakeOnLan?: number;
}

/** Requests for changes, with what each is about. Names that are not known are left out. */
export function encodeEthtoolChange(
  family: number,
  linkIndex: number,
  change: EthtoolChange,
): readonly (readonly [what: string, request: Uint8Array])[] {
  const start = (command: number, flags = 0) =>
    startGenl({ family, command }).nested(HEADER, (header) => {
      header.u32(DEV_INDEX, linkIndex);
      if (flags !== 0) header.u32(HEADER_FLAGS, flags);
    });
  const requests: [string, Uint8Array][] = [];
  const { features, rings, channels, wakeOnLan } = change;
  if (features !== undefined && Object.keys(features).length > 0) {
    // Its answer would say what came of each; that is read afterwards anyway.
    const writer = start(ETHTOOL_MSG_FEATURES_SET, OMIT_REPLY);
    encodeBits(writer, 3, features);
    requests.push(['features', writer.finish()]);
  }
  if (rings !== undefined && Object.keys(rings).length > 0)
    requests.push(['rings', encodeSettings(start(ETHTOOL_MSG_RINGS_SET), RINGS, rings)]);
  if (channels !== undefined && Object.keys(channels).length > 0)
    requests.push(['channels', encodeSettings(start(ETHTOOL_MSG_CHANNELS_SET), CHANNELS, channels)]);
  if (wakeOnLan !== undefined) {
    const writer = start(ETHTOOL_MSG_WOL_SET);
    encodeWholeBitset(writer, 2, WOL_BITS, wakeOnLan);
    requests.push(['wakeOnLan', writer.finish()]);
  }
  return requests;
}

function encodeSettings(
  writer: ReturnType<typeof startGenl>,
  settings: Settings,
  values: Readonly<Record<string, number | boolean>>,
): Uint8Array {
  for (const [name, type, kind] of settings) {
    const value = values[name];
    if (value === undefined || name.endsWith('-max')) continue;
    if (kind === 'u32') writer.u32(type, Number(value));
    else if (kind === 'bool') writer.u8(type, value ? 1 : 0);
    else writer.u8(type, value ? 2 : 1);
  }
  return writer.finish();
}
