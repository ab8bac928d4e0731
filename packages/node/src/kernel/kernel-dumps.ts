import {
  AF_INET,
  AF_INET6,
  decodeRtnlAddress,
  decodeRtnlLink,
  decodeRtnlRoute,
  decodeRtnlRule,
  encodeAddressDump,
  encodeLinkDump,
  encodeRouteDump,
  encodeRuleDump,
  type NetlinkBytes,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from '@bloomery/wire';
import type { KernelRoute } from './kernel.ts';
import { refusalErrno } from './kernel-error.ts';
import type { KernelContents } from './live-view.ts';
import type { NetlinkListener, NetlinkSocket } from './netlink-socket.ts';

const NOT_BUILT: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'EAFNOSUPPORT']);
const DUMP_ATTEMPTS = 10;

/** Ask for everything that a view holds. @throws BloomeryError BLM_KERNEL_UNANSWERED, BLM_KERNEL_REFUSED */
export async function dumpAll(requests: NetlinkSocket): Promise<KernelContents> {
  return {
    links: await dump(requests, 'listing links', encodeLinkDump(), RTM_NEWLINK, decodeRtnlLink),
    addresses: await dump(requests, 'listing addresses', encodeAddressDump(), RTM_NEWADDR, decodeRtnlAddress),
    routes: [...(await dumpRoutes(requests, AF_INET)), ...(await dumpRoutes(requests, AF_INET6))],
    rules: await dump(requests, 'listing rules', encodeRuleDump(), RTM_NEWRULE, decodeRtnlRule),
  };
}

/** Ask for all routes of a family. @throws as dumpAll */
export function dumpRoutes(requests: NetlinkSocket, family: number): Promise<readonly KernelRoute[]> {
  return dump(requests, 'listing routes', encodeRouteDump(family), RTM_NEWROUTE, decodeRtnlRoute);
}

/** Ask until the kernel's list did not change meanwhile; the last attempt counts as it is. */
async function dump<T>(
  requests: NetlinkSocket,
  what: string,
  request: Uint8Array,
  type: number,
  decode: (bytes: NetlinkBytes, from: number, to: number) => T | undefined,
): Promise<readonly T[]> {
  for (let attempt = 1; ; attempt++) {
    const all: T[] = [];
    const take: NetlinkListener = (bytes, message) => {
      const one = message.type === type ? decode(bytes, message.from, message.to) : undefined;
      if (one !== undefined) all.push(one);
    };
    let isInterrupted = false;
    try {
      isInterrupted = await requests.request(what, request, take);
    } catch (error) {
      // A kernel without IPv6, or without rules, has none.
      if (!NOT_BUILT.has(refusalErrno(error) ?? '')) throw error;
    }
    if (!isInterrupted || attempt === DUMP_ATTEMPTS) return all;
  }
}
