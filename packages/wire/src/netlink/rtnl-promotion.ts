import type { NetlinkBytes } from './netlink-bytes.ts';
import { NLM_F_ACK, NLM_F_REQUEST } from './netlink-message.ts';
import { NetlinkWriter } from './netlink-writer.ts';
import { AF_INET, AF_UNSPEC, RTM_NEWLINK } from './rtnl.ts';

const FIXED = 16;
const IFLA_AF_SPEC = 26;
const IFLA_INET_CONF = 1;
const PROMOTE_SECONDARIES = 20;

/**
 * Read from the body of RTM_NEWLINK whether IPv4 addresses of the link take the place of an earlier one of their network that goes, or go
 * with it (the default of the kernel). The settings of all links together count, too, and are not told here.
 *
 * @returns false where the kernel tells nothing of it.
 * @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED
 * @see linux/if_link.h IFLA_AF_SPEC, linux/ip.h IPV4_DEVCONF_PROMOTE_SECONDARIES
 */
export function decodeRtnlPromotion(bytes: NetlinkBytes, from: number, to: number): boolean {
  let value = 0;
  const at = (PROMOTE_SECONDARIES - 1) * 4;
  bytes.attributes(from + FIXED, to, (type, start, end) => {
    if (type !== IFLA_AF_SPEC) return;
    bytes.attributes(start, end, (family, familyStart, familyEnd) => {
      if (family !== AF_INET) return;
      bytes.attributes(familyStart, familyEnd, (setting, first, last) => {
        if (setting === IFLA_INET_CONF && last - first >= at + 4) value = bytes.u32(first + at, last);
      });
    });
  });
  return value !== 0;
}

/** Have later IPv4 addresses of a link take the place of an earlier one of their network that goes, or go with it. */
export function encodeRtnlPromotion(index: number, on: boolean): Uint8Array {
  return new NetlinkWriter({ type: RTM_NEWLINK, flags: NLM_F_REQUEST | NLM_F_ACK })
    .fixed([8, AF_UNSPEC], [8, 0], [16, 0], [32, index], [32, 0], [32, 0])
    .nested(IFLA_AF_SPEC, (families) =>
      families.nested(AF_INET, (inet) =>
        inet.nested(IFLA_INET_CONF, (settings) => settings.u32(PROMOTE_SECONDARIES, Number(on))),
      ),
    )
    .finish();
}
