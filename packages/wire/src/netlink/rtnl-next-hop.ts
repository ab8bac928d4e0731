import { type NetlinkBytes, netlinkTruncated } from './netlink-bytes.ts';

const FIXED = 8;
const NHA_ID = 1;

/**
 * Read the body of RTM_NEWNEXTHOP or RTM_DELNEXTHOP: the number that routes name it by. 0: none.
 *
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED
 * @see linux/nexthop.h
 */
export function decodeNextHopId(bytes: NetlinkBytes, from: number, to: number): number {
  if (to - from < FIXED) throw netlinkTruncated('a next hop');
  let id = 0;
  bytes.attributes(from + FIXED, to, (type, start, end) => {
    if (type === NHA_ID) id = bytes.u32(start, end);
  });
  return id;
}
