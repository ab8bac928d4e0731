import { NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST } from './netlink-message.ts';
import { ipBytes, NetlinkWriter } from './netlink-writer.ts';
import { AF_INET, AF_INET6, RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE } from './rtnl.ts';
import {
  RTA_DST,
  RTA_GATEWAY,
  RTA_METRICS,
  RTA_MULTIPATH,
  RTA_NH_ID,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  RTA_VIA,
  RTAX_MTU,
  type RtnlNextHop,
  type RtnlRoute,
} from './rtnl-route.ts';

const RTNH_F_ONLINK = 4;
const TABLE_COMPAT = 252;

/** Ask for all routes of a family, of all tables. */
export function encodeRouteDump(family: number): Uint8Array {
  return new NetlinkWriter({ type: RTM_GETROUTE, flags: NLM_F_REQUEST | NLM_F_DUMP })
    .fixed([8, family], [8, 0], [8, 0], [8, 0], [8, 0], [8, 0], [8, 0], [8, 0], [32, 0])
    .finish();
}

/** Add a route. `replace`: in the place of what has the same destination, table and priority. */
export function encodeNewRoute(route: RtnlRoute, replace: boolean): Uint8Array {
  const flags = NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL);
  const writer = start(RTM_NEWROUTE, flags, route);
  if (route.source !== '') writer.ip(RTA_PREFSRC, route.source);
  const { mtu } = route;
  if (mtu !== 0) writer.nested(RTA_METRICS, (metrics) => metrics.u32(RTAX_MTU, mtu));
  return writer.finish();
}

/** Remove a route: the one that is like this in all that tells routes apart. */
export function encodeRouteRemoval(route: RtnlRoute): Uint8Array {
  return start(RTM_DELROUTE, 0, route).finish();
}

function start(type: number, flags: number, route: RtnlRoute): NetlinkWriter {
  const { family, destination, table, priority, outLinkIndex, gateway, nextHops, nextHopId } = route;
  const [ip = '', length = '0'] = destination.split('/');
  const writer = new NetlinkWriter({ type, flags: NLM_F_REQUEST | NLM_F_ACK | flags }).fixed(
    [8, family],
    [8, Number(length)],
    [8, 0],
    [8, route.tos ?? 0],
    [8, table > 255 ? TABLE_COMPAT : table],
    [8, route.protocol],
    [8, route.scope],
    [8, route.type],
    [32, route.flags & RTNH_F_ONLINK],
  );
  writer.u32(RTA_TABLE, table);
  if (destination !== '') writer.ip(RTA_DST, ip);
  if (priority !== 0) writer.u32(RTA_PRIORITY, priority);
  // With a next hop of its own the kernel takes, and compares, nothing else of where it goes.
  if (nextHopId !== undefined) return writer.u32(RTA_NH_ID, nextHopId);
  if (outLinkIndex !== 0) writer.u32(RTA_OIF, outLinkIndex);
  if (gateway !== '') writeGateway(writer, family, gateway);
  if (nextHops !== undefined) writeNextHops(writer, family, nextHops);
  return writer;
}

function writeGateway(writer: NetlinkWriter, family: number, gateway: string): void {
  const ip = ipBytes(gateway);
  const isOther = family === AF_INET && ip.length === 16;
  if (isOther) writer.bytes(RTA_VIA, Uint8Array.of(AF_INET6, 0, ...ip));
  else writer.bytes(RTA_GATEWAY, ip);
}

function writeNextHops(writer: NetlinkWriter, family: number, hops: readonly RtnlNextHop[]): void {
  writer.nestedPlain(RTA_MULTIPATH, (list) => {
    for (const { gateway, linkIndex, weight } of hops)
      list.structure((hop) => {
        hop.fixed([8, 0], [8, weight - 1], [32, linkIndex]);
        if (gateway !== '') writeGateway(hop, family, gateway);
      });
  });
}
