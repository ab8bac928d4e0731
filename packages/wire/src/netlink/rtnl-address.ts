import { type NetlinkBytes, netlinkTruncated } from './netlink-bytes.ts';
import { NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE, NLM_F_REQUEST } from './netlink-message.ts';
import { ipBytes, NetlinkWriter } from './netlink-writer.ts';
import { AF_INET, AF_INET6, AF_UNSPEC, RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR } from './rtnl.ts';

/** An address as RTM_NEWADDR tells it. Texts are empty for what is not there. */
export interface RtnlAddress {
  readonly linkIndex: number;
  readonly family: number;
  /** CIDR: the link's own address. */
  readonly address: string;
  /** The other end of a point-to-point link; absent: none. */
  readonly peer?: string;
  readonly local: string;
  readonly broadcast: string;
  readonly anycast: string;
  readonly multicast: string;
  /** RT_SCOPE_*. */
  readonly scope: number;
  /** IFA_F_*. */
  readonly flags: number;
  /** Of the route that it brings with it; 0: the kernel's own choice. */
  readonly priority: number;
}

const FIXED = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;
const IFA_RT_PRIORITY = 9;

/**
 * Read the body of RTM_NEWADDR or RTM_DELADDR.
 *
 * @returns undefined for families that are neither IPv4 nor IPv6.
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED
 * @see rtnetlink(7), linux/if_addr.h
 */
export function decodeRtnlAddress(bytes: NetlinkBytes, from: number, to: number): RtnlAddress | undefined {
  if (to - from < FIXED) throw netlinkTruncated('an address');
  const family = bytes.u8(from, to);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  let address = '';
  let local = '';
  let broadcast = '';
  let anycast = '';
  let multicast = '';
  let flags = bytes.u8(from + 2, to);
  let priority = 0;
  bytes.attributes(from + FIXED, to, (type, start, end) => {
    if (type === IFA_ADDRESS) address = bytes.ip(start, end);
    else if (type === IFA_LOCAL) local = bytes.ip(start, end);
    else if (type === IFA_BROADCAST) broadcast = bytes.ip(start, end);
    else if (type === 5) anycast = bytes.ip(start, end);
    else if (type === 7) multicast = bytes.ip(start, end);
    else if (type === IFA_FLAGS) flags = bytes.u32(start, end);
    else if (type === IFA_RT_PRIORITY) priority = bytes.u32(start, end);
  });
  const own = local === '' ? address : local;
  return {
    linkIndex: bytes.u32(from + 4, to),
    family,
    address: `${own}/${bytes.u8(from + 1, to)}`,
    ...(own === address || address === '' ? {} : { peer: address }),
    local,
    broadcast,
    anycast,
    multicast,
    scope: bytes.u8(from + 3, to),
    flags,
    priority,
  };
}

/** An address to be put on a link. */
export interface RtnlNewAddress {
  readonly linkIndex: number;
  /** CIDR. */
  readonly address: string;
  readonly scope: number;
  readonly flags: number;
  readonly priority: number;
}

/** Ask for all addresses. */
export function encodeAddressDump(): Uint8Array {
  return new NetlinkWriter({ type: RTM_GETADDR, flags: NLM_F_REQUEST | NLM_F_DUMP })
    .fixed([8, AF_UNSPEC], [8, 0], [8, 0], [8, 0], [32, 0])
    .finish();
}

/** Put an address on a link, or change the one that is there. @throws BloomeryError BLM_WIRE_MALFORMED */
export function encodeNewAddress(address: RtnlNewAddress): Uint8Array {
  const writer = start(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, address);
  writer.u32(IFA_FLAGS, address.flags);
  if (address.priority !== 0) writer.u32(IFA_RT_PRIORITY, address.priority);
  return writer.finish();
}

/** Take an address off a link. @throws BloomeryError BLM_WIRE_MALFORMED */
export function encodeAddressRemoval(linkIndex: number, address: string): Uint8Array {
  return start(RTM_DELADDR, 0, { linkIndex, address, scope: 0, flags: 0, priority: 0 }).finish();
}

function start(type: number, flags: number, { linkIndex, address, scope, flags: own }: RtnlNewAddress): NetlinkWriter {
  const slash = address.indexOf('/');
  const ip = ipBytes(slash < 0 ? address : address.slice(0, slash));
  const length = slash < 0 ? ip.length * 8 : Number(address.slice(slash + 1));
  return new NetlinkWriter({ type, flags: NLM_F_REQUEST | NLM_F_ACK | flags })
    .fixed([8, ip.length === 4 ? AF_INET : AF_INET6], [8, length], [8, own & 0xff], [8, scope], [32, linkIndex])
    .bytes(IFA_LOCAL, ip)
    .bytes(IFA_ADDRESS, ip);
}
