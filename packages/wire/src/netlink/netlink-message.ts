import { type NetlinkBytes, netlinkMalformed, netlinkTruncated } from './netlink-bytes.ts';

const HEAD = 16;

/** Types of messages of netlink itself. */
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

/** Flags of requests and answers. */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
/** The kernel's lists changed while it was dumping: ask again. */
export const NLM_F_DUMP_INTR = 0x10;
/** Of requests that change something: replace what is there. */
export const NLM_F_REPLACE = 0x100;
/** Of requests that change something: only if it is not there. */
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_DUMP = 0x300;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

const NLMSGERR_ATTR_MSG = 1;

/** One message of a datagram. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port of the socket that it answers; 0 for news of the kernel. */
  readonly port: number;
  /** Where its body lies in the datagram. */
  readonly from: number;
  readonly to: number;
}

/**
 * Call back for each message of a datagram.
 *
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED for a length that cannot be; messages before it were told.
 * @see RFC 3549 section 2.3
 */
export function eachNetlinkMessage(bytes: NetlinkBytes, visit: (message: NetlinkMessage) => void): void {
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEAD) throw netlinkTruncated('its head');
    const length = bytes.u32(at, at + 4);
    if (length < HEAD) throw netlinkMalformed(`a length of ${length}`);
    if (at + length > bytes.length) throw netlinkTruncated('its body');
    visit({
      type: bytes.u16(at + 4, at + 6),
      flags: bytes.u16(at + 6, at + 8),
      sequence: bytes.u32(at + 8, at + 12),
      port: bytes.u32(at + 12, at + 16),
      from: at + HEAD,
      to: at + length,
    });
    at += (length + 3) & ~3;
  }
}

/** What the kernel says at the end of a request. */
export interface NetlinkVerdict {
  /** Positive; 0: done. */
  readonly errno: number;
  /** Its own words (extended acknowledgement); empty when it gave none. A warning when errno is 0. */
  readonly words: string;
}

/**
 * Read the body of NLMSG_ERROR (also the acknowledgement) or NLMSG_DONE.
 *
 * @throws BloomeryError BLM_WIRE_TRUNCATED
 */
export function decodeNetlinkVerdict(bytes: NetlinkBytes, message: NetlinkMessage): NetlinkVerdict {
  const { type, flags, from, to } = message;
  // NLMSG_DONE of old kernels is empty.
  if (type === NLMSG_DONE && to - from < 4) return { errno: 0, words: '' };
  const errno = Math.abs(bytes.i32(from, to));
  if ((flags & NLM_F_ACK_TLVS) === 0) return { errno, words: '' };
  let words = '';
  bytes.attributes(attributesOf(bytes, message), to, (attribute, start, end) => {
    if (attribute === NLMSGERR_ATTR_MSG) words = bytes.text(start, end);
  });
  return { errno, words };
}

/** Behind the number lies the request that it is about, or only its head. */
function attributesOf(bytes: NetlinkBytes, { type, flags, from, to }: NetlinkMessage): number {
  const start = from + 4;
  if (type === NLMSG_DONE) return start;
  if ((flags & NLM_F_CAPPED) !== 0) return start + HEAD;
  return start + Math.max(HEAD, (bytes.u32(start, to) + 3) & ~3);
}
