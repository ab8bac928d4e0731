import { type Clock, createSeldom, type Logger, type Seldom } from '@bloomery/ports';
import {
  DNS_FLAG,
  DNS_RCODE,
  DNS_TRACE_OPTION,
  type DnsQuery,
  type DnsTrace,
  dnsRcodeName,
  dnsTypeName,
  emptyDnsAnswer,
  encodeDnsName,
  readDnsQuery,
} from '@bloomery/wire';
import { AnswerCache, answerCacheBytes, MISS, STALE_MAX_MS } from './answer-cache.ts';
import { DATAGRAM_MAX_BYTES, finishReply } from './finish-reply.ts';
import { forgetName } from './forget-name.ts';
import {
  answerFromCache,
  answerFromUpstream,
  emptyMessage,
  type FoundAnswer,
  failedAnswer,
  optionsOf,
  type SharedAnswer,
} from './found-answer.ts';
import type { HostDnsSettings } from './host-dns.ts';
import { answerLocally, changedNames, localNames } from './local-names.ts';
import { KEY_FLAG, lowerCase, plainAnswer, type StoredAnswer, storedAnswer } from './stored-answer.ts';
import { askUpstreams } from './upstream/ask-upstreams.ts';
import type { UpstreamQuestion } from './upstream/upstream-question.ts';
import type { UpstreamGroup, UpstreamGroups } from './upstream-groups.ts';

const PACKET_MAX_BYTES = 65_536;
const IN_AT = 0;
const OUT_AT = PACKET_MAX_BYTES;
const CACHE_AT = 2 * PACKET_MAX_BYTES;
/** Different questions that wait for upstreams; more are refused with SERVFAIL. */
const UNDER_WAY_MAX = 1_000;
/** Clients that wait for upstreams, for the same questions or others; more are refused, too. */
const WAITING_MAX = 4_000;
/** With an expired answer at hand a client does not wait longer than this (RFC 8767 section 5). */
const STALE_AFTER_MS = 1_800;
const SAY_FAILURE_EVERY_MS = 60_000;
/** What a client sent. */
export interface Asked {
  readonly packet: Uint8Array;
  readonly transport: 'udp' | 'tcp';
  /** From this host: it may ask how its question was answered. */
  readonly fromLoopback: boolean;
}

/** What is sent back. */
export interface Answered {
  readonly packet: Uint8Array;
  /** What a listener with a cache of its own may answer the next such question with. */
  readonly remember?: StoredAnswer;
}

/** Numbers since the start. */
export interface ResolverCounts {
  hits: number;
  misses: number;
  coalesced: number;
  stale: number;
  failures: number;
}

export interface ResolverDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly groups: UpstreamGroups;
  readonly cacheSeed: number;
}

/** Answers questions: from the cache, from what the host knows, or by asking upstreams. */
export class Resolver {
  readonly counts: ResolverCounts = { hits: 0, misses: 0, coalesced: 0, stale: 0, failures: 0 };
  readonly cache: AnswerCache;
  readonly #memory = new Uint8Array(CACHE_AT + answerCacheBytes());
  readonly #deps: ResolverDeps;
  #underWay = new Map<string, Promise<SharedAnswer>>();
  #waiting = 0;
  readonly #maySayFailure: Seldom;
  #names = localNames({ staticHosts: new Map(), members: new Map() });

  constructor(deps: ResolverDeps) {
    this.#deps = deps;
    this.#maySayFailure = createSeldom(deps.clock, SAY_FAILURE_EVERY_MS, 1_000);
    this.cache = new AnswerCache({
      memory: this.#memory,
      at: CACHE_AT,
      seed: deps.cacheSeed,
      datagramMaxBytes: DATAGRAM_MAX_BYTES,
    });
  }

  /** Take names up. @returns wire forms of the names whose answers changed: other caches must forget them, too. */
  setNames(names: Pick<HostDnsSettings, 'staticHosts' | 'members'>): readonly Uint8Array[] {
    const local = localNames(names);
    const changed = changedNames(this.#names, local);
    if (changed.length > 0) this.#names = local;
    const forgotten = changed.map((name) => encodeDnsName(name.toLowerCase())).filter((name) => name !== undefined);
    for (const name of forgotten) forgetName(this.cache, name);
    return forgotten;
  }

  /** Forget all answers, and do not remember those that are under way. */
  clear(): void {
    this.cache.clear();
    this.#underWay = new Map();
  }

  /** A reply from the cache at once, or undefined. It is overwritten by the next call. */
  replyFromCache(packet: Uint8Array, transport: 'udp' | 'tcp'): Uint8Array | undefined {
    const { byteLength } = packet;
    if (byteLength > PACKET_MAX_BYTES) return undefined;
    const nowMs = this.#deps.clock.nowMs();
    this.#memory.set(packet, IN_AT);
    const length =
      transport === 'udp'
        ? this.cache.reply(IN_AT, byteLength, OUT_AT, nowMs)
        : this.cache.replyStream(IN_AT, byteLength, OUT_AT, nowMs);
    if (length === MISS) return undefined;
    this.counts.hits += 1;
    return this.#memory.subarray(OUT_AT, OUT_AT + length);
  }

  /** Answer what is not answered at once. @returns undefined for what must be dropped. Never rejects. */
  async resolve(asked: Asked): Promise<Answered | undefined> {
    try {
      return await this.#resolve(asked);
    } catch (error) {
      // One question that breaks something must not break the answers to others.
      this.#deps.log.error('dns.question-failed', { error: String(error) });
      return undefined;
    }
  }

  async #resolve(asked: Asked): Promise<Answered | undefined> {
    const { packet } = asked;
    const reading = readDnsQuery(packet);
    if (reading === undefined) return undefined;
    if (!reading.ok) return { packet: emptyDnsAnswer(packet, { rcode: reading.rcode }) };
    const { query } = reading;
    if (query.edns !== undefined && query.edns.version !== 0)
      return { packet: finishReply({ ...asked, query, ...emptyMessage(packet, query, DNS_RCODE.BADVERS) }) };
    const startedMs = this.#deps.clock.nowMs();
    const found = await this.#find(asked, query);
    const trace: DnsTrace = { ...found.trace, tookMs: this.#deps.clock.nowMs() - startedMs };
    this.#say(query, found, trace);
    const options = optionsOf(found, wantsTrace(asked, query) ? trace : undefined);
    const reply = finishReply({ ...asked, query, message: found.message, rcode: found.rcode, options });
    return { packet: reply, ...(found.remember === undefined ? {} : { remember: found.remember }) };
  }

  async #find(asked: Asked, query: DnsQuery): Promise<FoundAnswer> {
    const { packet } = asked;
    const local = answerLocally(packet, query, this.#names);
    if (local !== undefined) return { message: local.message, rcode: 0, trace: { answeredBy: local.from, tries: [] } };
    const known = this.#recall(packet, query);
    if (known !== undefined && known.leftMs > 0) {
      this.counts.hits += 1;
      return known.found;
    }
    this.counts.misses += 1;
    const group = this.#deps.groups.groupOf(query.name.toLowerCase());
    const shared = this.#waiting < WAITING_MAX ? this.#ask(asked, query, group) : undefined;
    if (shared === undefined)
      return failedAnswer(packet, query, { answeredBy: 'none', tries: [] }, 'too many questions');
    const { promise, coalesced } = shared;
    this.#waiting += 1;
    const answered = known === undefined ? promise : this.#within(promise, staleAfterMs(group));
    const outcome = await answered.finally(() => {
      this.#waiting -= 1;
    });
    const found = outcome === undefined ? undefined : answerFromUpstream(packet, query, outcome);
    if (known !== undefined && (found === undefined || found.trace.answeredBy === 'none')) {
      this.counts.stale += 1;
      const tries = found?.trace.tries ?? [];
      return { ...known.found, trace: { ...known.found.trace, ...domainOf(group), tries } };
    }
    const told = found ?? failedAnswer(packet, query, { answeredBy: 'none', tries: [] }, 'no answer');
    return { ...told, trace: { ...told.trace, ...domainOf(group), ...(coalesced ? { coalesced } : {}) } };
  }

  /** What the cache has, fresh or stale. */
  #recall(packet: Uint8Array, query: DnsQuery): { readonly leftMs: number; readonly found: FoundAnswer } | undefined {
    this.#memory.set(packet.subarray(0, query.questionEnd), IN_AT);
    const recalled = this.cache.recall(
      { at: IN_AT, questionEnd: query.questionEnd, keyFlags: keyFlagsOf(query), outAt: OUT_AT, staleMs: STALE_MAX_MS },
      this.#deps.clock.nowMs(),
    );
    if (recalled === undefined) return undefined;
    const message = Buffer.from(this.#memory.subarray(OUT_AT, OUT_AT + recalled.bytes));
    return { leftMs: recalled.leftMs, found: answerFromCache(message, recalled, keyFlagsOf(query)) };
  }

  /** Ask upstreams, or wait with the others that ask the same; undefined when too many wait already. */
  #ask(
    asked: Asked,
    query: DnsQuery,
    group: UpstreamGroup,
  ): { readonly promise: Promise<SharedAnswer>; readonly coalesced: boolean } | undefined {
    const question = Buffer.from(asked.packet.subarray(12, query.questionEnd));
    const lowered = Buffer.from(question);
    lowerCase(lowered, 0, lowered.byteLength - 4);
    const recursionDesired = (query.flags & DNS_FLAG.RD) !== 0;
    const key = `${lowered.toString('latin1')}${keyFlagsOf(query)}${recursionDesired}`;
    const waiting = this.#underWay.get(key);
    if (waiting !== undefined) {
      this.counts.coalesced += 1;
      return { promise: waiting, coalesced: true };
    }
    if (this.#underWay.size >= UNDER_WAY_MAX) return undefined;
    const underWay = this.#underWay;
    const promise = this.#askNow(upstreamQuestion(asked, query, question), keyFlagsOf(query), group).finally(() =>
      underWay.delete(key),
    );
    underWay.set(key, promise);
    return { promise, coalesced: false };
  }

  async #askNow(question: UpstreamQuestion, keyFlags: number, group: UpstreamGroup): Promise<SharedAnswer> {
    const [underWay, names] = [this.#underWay, this.#names];
    const outcome = await askUpstreams(group.upstreams, question, this.#deps.clock);
    const { answer } = outcome;
    if (answer === undefined || !answer.matches) return { outcome };
    const message = plainAnswer(answer.message, answer.frame);
    const stored = question.recursionDesired ? storedAnswer(answer.message, keyFlags, answer.frame) : undefined;
    // Other upstreams are asked by now, or the host itself knows the name: what this one says must not stay.
    const isOutdated = underWay !== this.#underWay || names !== this.#names;
    if (stored === undefined || isOutdated) return { outcome, message };
    this.cache.store(stored, this.#deps.clock.nowMs());
    return { outcome, message: Buffer.from(stored.data.subarray(0, stored.messageBytes)), stored };
  }

  #within(promise: Promise<SharedAnswer>, delayMs: number): Promise<SharedAnswer | undefined> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(delayMs, () => resolve(undefined));
      void promise.then((shared) => {
        cancel();
        resolve(shared);
      });
    });
  }

  #say(query: DnsQuery, found: FoundAnswer, trace: DnsTrace): void {
    const { log } = this.#deps;
    const { tries, ...facts } = trace;
    const asked = { name: query.name, type: dnsTypeName(query.type) };
    log.debug('dns.answered', { ...asked, rcode: dnsRcodeName(found.rcode), ...facts, tries: tries.length });
    if (trace.answeredBy !== 'none') return;
    this.counts.failures += 1;
    const reason = found.extendedError?.text ?? '';
    if (this.#maySayFailure(reason)) log.warn('dns.no-upstream-answered', { ...asked, reason });
  }
}

function upstreamQuestion({ transport }: Asked, query: DnsQuery, question: Uint8Array): UpstreamQuestion {
  const { flags, edns } = query;
  return {
    question,
    checkingDisabled: (flags & DNS_FLAG.CD) !== 0,
    authenticData: (flags & DNS_FLAG.AD) !== 0,
    recursionDesired: (flags & DNS_FLAG.RD) !== 0,
    ...(edns === undefined ? {} : { edns: { dnssecOk: edns.dnssecOk } }),
    transport,
  };
}

function keyFlagsOf({ flags, edns }: DnsQuery): number {
  return (
    (edns?.dnssecOk === true ? KEY_FLAG.DNSSEC_OK : 0) | ((flags & DNS_FLAG.CD) !== 0 ? KEY_FLAG.CHECKING_DISABLED : 0)
  );
}

function wantsTrace({ fromLoopback }: Asked, { edns }: DnsQuery): boolean {
  return fromLoopback && edns?.options.some(({ code }) => code === DNS_TRACE_OPTION) === true;
}

function staleAfterMs({ upstreams }: UpstreamGroup): number {
  return upstreams.every(({ state }) => state === 'down') ? 0 : STALE_AFTER_MS;
}

function domainOf({ domain }: UpstreamGroup): { readonly domain?: string } {
  return domain === undefined ? {} : { domain };
}
