import { errorText, type Logger } from '@bloomery/ports';
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
import type { KernelAddress, KernelLink, KernelRoute, KernelRule } from './kernel.ts';
import { refusalErrno } from './kernel-error.ts';
import type { KernelContents } from './live-view.ts';
import type { NetlinkListener, NetlinkRequests } from './netlink-socket.ts';

const NOT_BUILT: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'EAFNOSUPPORT']);
const ATTEMPTS = 3;

/** What the kernel listed. */
export interface Listed<T> {
  readonly all: T;
  /** Whether its list stayed as it was while it was read: else some of it may be missing. */
  readonly isWhole: boolean;
}

/** What listing needs. */
export interface DumpDeps {
  readonly requests: NetlinkRequests;
  readonly log: Logger;
}

/** Ask for everything that a view holds. @throws BloomeryError BLM_KERNEL_UNANSWERED, BLM_KERNEL_REFUSED */
export async function dumpAll(deps: DumpDeps): Promise<Listed<KernelContents>> {
  const links = await dump(deps, LINKS);
  const addresses = await dump(deps, ADDRESSES);
  const routes = [await dumpRoutes(deps, AF_INET), await dumpRoutes(deps, AF_INET6)];
  const rules = await dump(deps, RULES);
  return {
    all: { links: links.all, addresses: addresses.all, routes: routes.flatMap(({ all }) => all), rules: rules.all },
    isWhole: [links, addresses, ...routes, rules].every(({ isWhole }) => isWhole),
  };
}

/** Ask for all routes of a family. @throws as dumpAll */
export function dumpRoutes(deps: DumpDeps, family: number): Promise<Listed<readonly KernelRoute[]>> {
  return dump(deps, {
    what: 'listing routes',
    request: encodeRouteDump(family),
    type: RTM_NEWROUTE,
    decode: decodeRtnlRoute,
  });
}

interface List<T> {
  readonly what: string;
  readonly request: Uint8Array;
  /** Of the messages that it consists of. */
  readonly type: number;
  readonly decode: (bytes: NetlinkBytes, from: number, to: number) => T | undefined;
}

const LINKS: List<KernelLink> = {
  what: 'listing links',
  request: encodeLinkDump(),
  type: RTM_NEWLINK,
  decode: decodeRtnlLink,
};
const ADDRESSES: List<KernelAddress> = {
  what: 'listing addresses',
  request: encodeAddressDump(),
  type: RTM_NEWADDR,
  decode: decodeRtnlAddress,
};
const RULES: List<KernelRule> = {
  what: 'listing rules',
  request: encodeRuleDump(),
  type: RTM_NEWRULE,
  decode: decodeRtnlRule,
};

/** Ask a few times until the list did not change meanwhile. What cannot be read is left out, and said once for the list. */
async function dump<T>({ requests, log }: DumpDeps, list: List<T>): Promise<Listed<readonly T[]>> {
  const { what, request, type, decode } = list;
  for (let attempt = 1; ; attempt++) {
    const all: T[] = [];
    let unreadable: string | undefined;
    const take: NetlinkListener = (bytes, message) => {
      if (message.type !== type) return;
      try {
        const one = decode(bytes, message.from, message.to);
        if (one !== undefined) all.push(one);
      } catch (error) {
        unreadable = errorText(error);
      }
    };
    let isInterrupted = false;
    try {
      isInterrupted = await requests.request(what, request, take);
    } catch (error) {
      // A kernel without IPv6, or without rules, has none.
      if (!NOT_BUILT.has(refusalErrno(error) ?? '')) throw error;
    }
    if (isInterrupted && attempt < ATTEMPTS) continue;
    if (unreadable !== undefined) log.warn('kernel.listed_unreadable', { what, error: unreadable });
    return { all, isWhole: !isInterrupted };
  }
}
