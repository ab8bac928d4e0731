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
  RTNLGRP_NEXTHOP,
} from '@bloomery/wire';
import { dumpAll } from './kernel-dumps.ts';
import { applyNews } from './kernel-news.ts';
import type { LiveView } from './live-view.ts';
import { NETLINK_ROUTE, type NetlinkRequests, type NetlinkSocket, openNetlinkSocket } from './netlink-socket.ts';
import { createNewsGate, type NewsGate } from './news-gate.ts';
import { createRouteRefresh, type RouteRefresh } from './route-refresh.ts';

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
  readonly requests: NetlinkRequests;
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
/** Before all is asked again when the kernel's lists changed each time that they were read. */
const CALM_PAUSE_MS = 1000;
const BARRIER = encodeNetlinkNoop();

/**
 * Fill the view and keep it like the kernel from then on, by the kernel's news alone.
 *
 * @throws BloomeryError BLM_KERNEL_UNANSWERED, BLM_KERNEL_REFUSED
 */
export async function followKernel(view: LiveView, deps: FollowerDeps): Promise<KernelFollower> {
  const { clock, log } = deps;
  const gate = createNewsGate((datagram) => follower.apply(datagram));
  const news = await openNetlinkSocket({
    protocol: NETLINK_ROUTE,
    clock,
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    onNews: gate.take,
    onLost: (error) => {
      log.warn('kernel.news_lost', { error: error.message });
      follower.lost();
    },
  });
  const follower = new Follower({ ...deps, view, gate, news });
  try {
    join(news, log);
    await follower.begin();
    return follower;
  } catch (error) {
    follower[Symbol.dispose]();
    throw error;
  }
}

function join(news: NetlinkSocket, log: Logger): void {
  for (const group of GROUPS) news.join(group);
  try {
    news.join(RTNLGRP_NEXTHOP);
  } catch (error) {
    log.debug('kernel.no_next_hop_news', { error: errorText(error) });
  }
}

interface FollowerParts extends FollowerDeps {
  readonly view: LiveView;
  readonly gate: NewsGate;
  readonly news: NetlinkSocket;
}

class Follower implements KernelFollower {
  readonly #parts: FollowerParts;
  readonly #routes: RouteRefresh;
  /** All is being asked for. */
  #resyncing: Promise<void> | undefined;
  #cancelLater: (() => void) | undefined;
  #isClosed = false;

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#routes = createRouteRefresh({
      ...parts,
      lost: () => this.lost(),
      askLater: () => this.#askLater(),
      resyncing: () => this.#resyncing,
    });
  }

  /** Fill the view. */
  async begin(): Promise<void> {
    const first = this.#resync();
    this.#resyncing = first.then(
      () => {},
      () => {},
    );
    const isWhole = await first;
    this.#resyncing = undefined;
    if (!isWhole) this.lost();
  }

  /** Bring a datagram of news into the view. */
  apply(datagram: Uint8Array): void {
    try {
      const bytes = new NetlinkBytes(datagram);
      eachNetlinkMessage(bytes, (message) => {
        for (const family of applyNews(this.#parts.view, bytes, message)) this.#routes.ask(family);
      });
    } catch (error) {
      this.#parts.log.warn('kernel.news_unreadable', { error: errorText(error) });
      this.lost();
    }
  }

  /** Some news are lost: everything is asked anew. */
  lost(): void {
    if (this.#isClosed) return;
    if (this.#resyncing !== undefined) this.#parts.gate.noteGap();
    this.#resyncing ??= this.#resyncUntilWhole().finally(() => {
      this.#resyncing = undefined;
    });
  }

  async settled(): Promise<void> {
    // It comes back behind the news of everything that happened before it. When it is lost, so are news: all is asked anew.
    await this.#parts.news.request('waiting for the news', BARRIER).catch(() => false);
    while (this.#resyncing !== undefined || this.#routes.asking() !== undefined)
      await Promise.all([this.#resyncing, this.#routes.asking()]);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#cancelLater?.();
    this.#parts.news[Symbol.dispose]();
  }

  async #resyncUntilWhole(): Promise<void> {
    const { gate, news, log, clock } = this.#parts;
    // What comes is forgotten when all is asked for.
    gate.hold();
    for (let attempt = 1; !this.#isClosed; attempt++) {
      try {
        await news.request('emptying the socket of news', BARRIER);
        if (await this.#resync()) return;
      } catch (error) {
        if (attempt === 1) log.warn('kernel.unanswered', { error: errorText(error) });
      }
      await clock.sleep(RESYNC_PAUSE_MS);
    }
  }

  /**
   * What is told from now on is applied behind the answer. There must be no gap in it, and nothing in it that is older than a gap: news
   * of a link that went down would take the routes that it got since.
   *
   * @returns whether no news were lost meanwhile, and all could be read
   */
  async #resync(): Promise<boolean> {
    const { gate, view } = this.#parts;
    gate.hold();
    const { all, isWhole } = await dumpAll(this.#parts);
    if (!gate.isWhole()) return false;
    view.replaceAll(all);
    // What may be missing is asked for when it is calmer: until then this is better than what was there.
    if (!isWhole) this.#askLater();
    gate.release();
    return gate.isWhole();
  }

  #askLater(): void {
    if (this.#isClosed) return;
    this.#cancelLater ??= this.#parts.clock.after(CALM_PAUSE_MS, () => {
      this.#cancelLater = undefined;
      this.lost();
    });
  }
}
