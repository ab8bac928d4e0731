import { type Clock, errorText, type Logger } from '@bloomery/ports';
import {
  AF_INET,
  AF_INET6,
  decodeRtnlAddress,
  decodeRtnlLink,
  decodeRtnlRoute,
  decodeRtnlRule,
  eachNetlinkMessage,
  encodeAddressDump,
  encodeLinkDump,
  encodeNetlinkNoop,
  encodeRouteDump,
  encodeRuleDump,
  NetlinkBytes,
  RTM_NEWADDR,
  RTM_NEWLINK,
  RTM_NEWROUTE,
  RTM_NEWRULE,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_IPV6_RULE,
  RTNLGRP_LINK,
} from '@bloomery/wire';
import type { KernelRoute } from './kernel.ts';
import { refusalErrno } from './kernel-error.ts';
import { applyNews } from './kernel-news.ts';
import type { LiveView } from './live-view.ts';
import { NETLINK_ROUTE, type NetlinkListener, type NetlinkSocket, openNetlinkSocket } from './netlink-socket.ts';

/** Keeps a view like the kernel. */
export interface KernelFollower extends Disposable {
  /** Resolves when the view shows everything that the kernel did before this call. */
  settled(): Promise<void>;
}

/** What following needs. */
export interface FollowerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** For dumps: another one than that of news, which must never wait. */
  readonly requests: NetlinkSocket;
}

const GROUPS = [
  RTNLGRP_LINK,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_RULE,
];
/** News that wait while everything is asked anew; with more, it is asked once more instead. */
const WAITING_MAX = 20_000;
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
const NOT_BUILT: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'EAFNOSUPPORT']);
const DUMP_ATTEMPTS = 10;
/** Between two times that everything is asked anew, so that a storm of news does not keep the daemon busy. */
const RESYNC_PAUSE_MS = 200;

/**
 * Fill the view and keep it like the kernel from then on, by the kernel's news alone.
 *
 * @throws BloomeryError BLM_KERNEL_UNANSWERED, BLM_KERNEL_REFUSED
 */
export async function followKernel(view: LiveView, { clock, log, requests }: FollowerDeps): Promise<KernelFollower> {
  let waiting: Uint8Array[] | undefined = [];
  let isOverfull = false;
  let isClosed = false;
  let resyncing: Promise<void> | undefined;
  /** Families whose routes must be asked anew, as the news did not say all. */
  const unsure = new Set<number>();
  let asking: Promise<void> | undefined;

  const apply = (datagram: Uint8Array): void => {
    try {
      const bytes = new NetlinkBytes(datagram);
      eachNetlinkMessage(bytes, (message) => {
        for (const family of applyNews(view, bytes, message)) askRoutes(family);
      });
    } catch (error) {
      log.warn('kernel.news_unreadable', { error: errorText(error) });
      lost();
    }
  };
  const askRoutes = (family: number): void => {
    unsure.add(family);
    asking ??= replaceUnsure().finally(() => {
      asking = undefined;
    });
  };
  const replaceUnsure = async (): Promise<void> => {
    await resyncing;
    while (unsure.size > 0 && !isClosed) {
      const families = [...unsure];
      unsure.clear();
      // What is told meanwhile may be newer than the answer: it is applied behind it.
      waiting = [];
      try {
        const answers = new Map<number, readonly KernelRoute[]>();
        for (const family of families) answers.set(family, await dumpRoutes(requests, family));
        if (isOverfull) lost();
        // All is asked anew, and these with it.
        if (resyncing !== undefined) return unsure.clear();
        for (const [family, routes] of answers) view.replaceRoutes(family, routes);
        applyWaiting();
      } catch (error) {
        if (!isClosed) log.warn('kernel.routes_unknown', { families, error: errorText(error) });
        unsure.clear();
        return lost();
      }
    }
  };
  const applyWaiting = (): void => {
    const later = waiting ?? [];
    waiting = undefined;
    for (const datagram of later) apply(datagram);
  };
  const lost = (): void => {
    if (isClosed) return;
    if (resyncing !== undefined) {
      isOverfull = true;
      return;
    }
    waiting ??= [];
    resyncing = resyncUntilWhole().finally(() => {
      resyncing = undefined;
    });
  };
  const resyncUntilWhole = async (): Promise<void> => {
    for (let attempt = 1; !isClosed; attempt++) {
      try {
        await news.request('emptying the socket of news', BARRIER);
        if (await resync()) return;
      } catch (error) {
        if (attempt === 1) log.warn('kernel.unanswered', { error: errorText(error) });
      }
      await clock.sleep(RESYNC_PAUSE_MS);
    }
  };
  /**
   * What is told from now on is applied behind the answer. There must be no gap in it, and nothing in it that is older than a gap: news
   * of a link that went down would take the routes that it got since.
   *
   * @returns whether no news were lost meanwhile
   */
  const resync = async (): Promise<boolean> => {
    isOverfull = false;
    waiting = [];
    const all = await dumpAll(requests);
    if (isOverfull) return false;
    view.replaceAll(all);
    applyWaiting();
    // One of those could not be read.
    return !isOverfull;
  };

  const news = await openNetlinkSocket({
    protocol: NETLINK_ROUTE,
    clock,
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    onNews: (datagram) => {
      if (waiting === undefined) apply(datagram);
      else if (waiting.length < WAITING_MAX) waiting.push(datagram);
      else isOverfull = true;
    },
    onLost: (error) => {
      log.warn('kernel.news_lost', { error: error.message });
      lost();
    },
  });
  for (const group of GROUPS) news.join(group);
  const first = resync();
  resyncing = first.then(
    () => {},
    () => {},
  );
  try {
    const isWhole = await first;
    resyncing = undefined;
    if (!isWhole) lost();
  } catch (error) {
    news[Symbol.dispose]();
    throw error;
  }
  return {
    settled: async () => {
      // It comes back behind the news of everything that happened before it. When it is lost, so are news: all is asked anew.
      await news.request('waiting for the news', BARRIER).catch(() => false);
      while (resyncing !== undefined || asking !== undefined) await Promise.all([resyncing, asking]);
    },
    [Symbol.dispose]: () => {
      isClosed = true;
      news[Symbol.dispose]();
    },
  };
}

const BARRIER = encodeNetlinkNoop();

async function dumpAll(requests: NetlinkSocket) {
  return {
    links: await dump(requests, 'listing links', encodeLinkDump(), RTM_NEWLINK, decodeRtnlLink),
    addresses: await dump(requests, 'listing addresses', encodeAddressDump(), RTM_NEWADDR, decodeRtnlAddress),
    routes: [...(await dumpRoutes(requests, AF_INET)), ...(await dumpRoutes(requests, AF_INET6))],
    rules: await dump(requests, 'listing rules', encodeRuleDump(), RTM_NEWRULE, decodeRtnlRule),
  };
}

function dumpRoutes(requests: NetlinkSocket, family: number): Promise<readonly KernelRoute[]> {
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
