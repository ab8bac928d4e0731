import { type NetlinkBytes, netlinkTruncated } from './netlink-bytes.ts';
import { AF_INET, AF_INET6 } from './rtnl.ts';

/** A route as RTM_NEWROUTE tells it. Texts are empty and numbers 0 for what is not there. */
export interface RtnlRoute {
  readonly family: number;
  /** CIDR; empty: everything. */
  readonly destination: string;
  /** The source address that is preferred. */
  readonly source: string;
  readonly gateway: string;
  readonly outLinkIndex: number;
  readonly table: number;
  readonly priority: number;
  readonly scope: number;
  readonly type: number;
  /** RTM_F_* and RTNH_F_*, without those that follow from the state of the link. */
  readonly flags: number;
  readonly protocol: number;
  readonly mtu: number;
  /** Type of service; absent: any. */
  readonly tos?: number;
  /** Of a route with several next hops, which has no gateway and link of its own. */
  readonly nextHops?: readonly RtnlNextHop[];
  /** Of a next hop, or a group of them, that stands for itself; gateway, link and next hops are then what it is at this moment. */
  readonly nextHopId?: number;
}

/** One of several ways of a route. */
export interface RtnlNextHop {
  readonly gateway: string;
  readonly linkIndex: number;
  /** 1 … 256. */
  readonly weight: number;
}

const FIXED = 12;
const NEXT_HOP = 8;
const RTM_F_CLONED = 0x200;
/** RTNH_F_DEAD, RTNH_F_LINKDOWN, RTNH_F_UNRESOLVED: no message says when they change. */
const FLEETING = 0x31;

export const RTA_DST = 1;
export const RTA_OIF = 4;
export const RTA_GATEWAY = 5;
export const RTA_PRIORITY = 6;
export const RTA_PREFSRC = 7;
export const RTA_METRICS = 8;
export const RTA_MULTIPATH = 9;
export const RTA_TABLE = 15;
export const RTA_VIA = 18;
export const RTA_NH_ID = 30;
export const RTAX_MTU = 2;

/**
 * Read the body of RTM_NEWROUTE or RTM_DELROUTE.
 *
 * @returns undefined for other families than IPv4 and IPv6, and for what the kernel only remembers of one destination.
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED
 * @see rtnetlink(7), linux/rtnetlink.h
 */
export function decodeRtnlRoute(bytes: NetlinkBytes, from: number, to: number): RtnlRoute | undefined {
  if (to - from < FIXED) throw netlinkTruncated('a route');
  const family = bytes.u8(from, to);
  const allFlags = bytes.u32(from + 8, to);
  if ((family !== AF_INET && family !== AF_INET6) || (allFlags & RTM_F_CLONED) !== 0) return undefined;
  const length = bytes.u8(from + 1, to);
  const tos = bytes.u8(from + 3, to);
  let destination = '';
  let source = '';
  let gateway = '';
  let outLinkIndex = 0;
  let table = bytes.u8(from + 4, to);
  let priority = 0;
  let mtu = 0;
  let nextHops: readonly RtnlNextHop[] | undefined;
  let nextHopId: number | undefined;
  bytes.attributes(from + FIXED, to, (type, start, end) => {
    if (type === RTA_DST) destination = length === 0 ? '' : `${bytes.ip(start, end)}/${length}`;
    else if (type === RTA_OIF) outLinkIndex = bytes.u32(start, end);
    else if (type === RTA_GATEWAY) gateway = bytes.ip(start, end);
    else if (type === RTA_VIA) gateway = bytes.ip(start + 2, end);
    else if (type === RTA_PRIORITY) priority = bytes.u32(start, end);
    else if (type === RTA_PREFSRC) source = bytes.ip(start, end);
    else if (type === RTA_TABLE) table = bytes.u32(start, end);
    else if (type === RTA_METRICS) mtu = readMtu(bytes, start, end);
    else if (type === RTA_MULTIPATH) nextHops = readNextHops(bytes, start, end);
    else if (type === RTA_NH_ID) nextHopId = bytes.u32(start, end);
  });
  return {
    family,
    destination,
    source,
    gateway,
    outLinkIndex,
    table,
    priority,
    scope: bytes.u8(from + 6, to),
    type: bytes.u8(from + 7, to),
    flags: allFlags & ~FLEETING,
    protocol: bytes.u8(from + 5, to),
    mtu,
    ...(tos === 0 ? {} : { tos }),
    ...(nextHops === undefined ? {} : { nextHops }),
    ...(nextHopId === undefined ? {} : { nextHopId }),
  };
}

function readMtu(bytes: NetlinkBytes, from: number, to: number): number {
  let mtu = 0;
  bytes.attributes(from, to, (type, start, end) => {
    if (type === RTAX_MTU) mtu = bytes.u32(start, end);
  });
  return mtu;
}

function readNextHops(bytes: NetlinkBytes, from: number, to: number): readonly RtnlNextHop[] {
  const hops: RtnlNextHop[] = [];
  for (let at = from; at < to; ) {
    if (to - at < NEXT_HOP) throw netlinkTruncated('a next hop');
    const length = bytes.u16(at, to);
    if (length < NEXT_HOP || at + length > to) throw netlinkTruncated('a next hop');
    let gateway = '';
    bytes.attributes(at + NEXT_HOP, at + length, (type, start, end) => {
      if (type === RTA_GATEWAY) gateway = bytes.ip(start, end);
      else if (type === RTA_VIA) gateway = bytes.ip(start + 2, end);
    });
    hops.push({ gateway, linkIndex: bytes.u32(at + 4, to), weight: bytes.u8(at + 3, to) + 1 });
    at += (length + 3) & ~3;
  }
  return hops;
}
