import { type Clock, errorText, type Logger } from '@bloomery/ports';
import {
  eachNetlinkMessage,
  encodeNetlinkNoop,
  NetlinkBytes,
  RTNLGRP_IPV4_IFADDR,
  RTNLGRP_IPV4_ROUTE,
  RTNLGRP_IPV4_RULE,
  RTNLGRP_IPV6_IFADDR,
  RTNLGRP_IPV6_ROUTE,
  RTNLGRP_IPV6_RULE,
  RTNLGRP_LINK,
} from '@bloomery/wire';
import { dumpAll } from './kernel-dumps.ts';
import { applyNews } from './kernel-news.ts';
import type { LiveView } from './live-view.ts';
import { NETLINK_ROUTE, type NetlinkSocket, openNetlinkSocket } from './netlink-socket.ts';
import { createNewsGate, type NewsGate } from './news-gate.ts';
import { createRouteRefresh } from './route-refresh.ts';

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
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
/** Between two times that everything is asked anew, so that a storm of news does not keep the daemon busy. */
const RESYNC_PAUSE_MS = 200;

/**
 * Fill the view and keep it like the kernel from then on, by the kernel's news alone.
 *
 * @throws BloomeryError BLM_KERNEL_UNANSWERED, BLM_KERNEL_REFUSED
 */
export async function followKernel(view: LiveView, { clock, log, requests }: FollowerDeps): Promise<KernelFollower> {
  let isClosed = false;
  let resyncing: Promise<void> | undefined;
  const gate = createNewsGate((datagram) => {
    try {
      const bytes = new NetlinkBytes(datagram);
      eachNetlinkMessage(bytes, (message) => {
        for (const family of applyNews(view, bytes, message)) routes.ask(family);
      });
    } catch (error) {
      log.warn('kernel.news_unreadable', { error: errorText(error) });
      lost();
    }
  });
  const lost = (): void => {
    if (isClosed) return;
    if (resyncing !== undefined) gate.noteGap();
    resyncing ??= resyncUntilWhole().finally(() => {
      resyncing = undefined;
    });
  };
  const resyncUntilWhole = async (): Promise<void> => {
    // What comes is forgotten when all is asked for.
    gate.hold();
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
   * @returns whether no news were lost meanwhile, and all could be read
   */
  const resync = async (): Promise<boolean> => {
    gate.hold();
    const all = await dumpAll(requests);
    if (!gate.isWhole()) return false;
    view.replaceAll(all);
    gate.release();
    return gate.isWhole();
  };
  const routes = createRouteRefresh({ view, requests, gate, log, lost, resyncing: () => resyncing });

  const news = await openNews({ clock, log, gate, lost });
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
      while (resyncing !== undefined || routes.asking() !== undefined) await Promise.all([resyncing, routes.asking()]);
    },
    [Symbol.dispose]: () => {
      isClosed = true;
      news[Symbol.dispose]();
    },
  };
}

const BARRIER = encodeNetlinkNoop();

interface NewsDeps extends Pick<FollowerDeps, 'clock' | 'log'> {
  readonly gate: NewsGate;
  readonly lost: () => void;
}

async function openNews({ clock, log, gate, lost }: NewsDeps): Promise<NetlinkSocket> {
  const news = await openNetlinkSocket({
    protocol: NETLINK_ROUTE,
    clock,
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    onNews: gate.take,
    onLost: (error) => {
      log.warn('kernel.news_lost', { error: error.message });
      lost();
    },
  });
  for (const group of GROUPS) news.join(group);
  return news;
}
