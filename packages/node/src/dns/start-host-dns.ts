import { type Clock, hostPort, type Listen, type Logger, type RandomBytes } from '@bloomery/ports';
import { explainBindError } from './explain-bind-error.ts';
import type { DnsUpstreamSetting, HostDns, HostDnsSettings, HostDnsStatus } from './host-dns.ts';
import { type Bound, Listeners } from './listeners.ts';
import { Resolver } from './resolver.ts';
import { type Datagrams, startDatagrams } from './start-datagrams.ts';
import { startTcpListener } from './tcp-listener.ts';
import type { DnsDialer } from './upstream/exchange.ts';
import type { Upstream } from './upstream/upstream.ts';
import { UpstreamGroups } from './upstream-groups.ts';

/** What the server is given. */
export interface HostDnsDeps {
  readonly clock: Clock;
  /** Its lines carry `service: dns-resolve-cache`. */
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Opens connections of DoH: through the proxy where one is configured. Its authorities are trusted for DoT and DoH. */
  readonly dialer?: DnsDialer;
  /** `portable` does without native parts; `native`, which falls back to it, unless given. */
  readonly datagrams?: 'native' | 'portable';
  /** The proc file system; `/proc` unless given. */
  readonly proc?: string;
}

/** Start the caching DNS server of the host. It listens and asks nobody until it is configured. */
export async function startHostDns(deps: HostDnsDeps): Promise<HostDns> {
  const log = deps.log.with({ service: 'dns-resolve-cache' });
  const heard = new Set<() => void>();
  const changed = (): void => {
    for (const hear of [...heard]) hear();
  };
  const groups = new UpstreamGroups({
    ...deps,
    changed: (upstream) => {
      sayHealth(log, upstream);
      changed();
    },
  });
  const cacheSeed = deps.random(4).reduce((seed, byte) => (seed << 8) | byte, 0);
  const resolver = new Resolver({ clock: deps.clock, log, groups, cacheSeed });
  const datagrams = await startDatagrams(deps, { resolver, log, cacheSeed, lost: () => listeners.rebind('udp') });
  const listeners: Listeners = new Listeners({
    clock: deps.clock,
    log,
    changed,
    bind: (transport, listen, hopLimit) =>
      bindListener({ ...deps, datagrams, resolver }, transport, { listen, hopLimit }),
    explain: (transport, listen, error) => explainBindError(deps.proc ?? '/proc', { transport, listen, error }),
  });
  return new HostDnsServer({ log, heard, changed, groups, resolver, datagrams, listeners });
}

interface ServerParts {
  readonly log: Logger;
  readonly heard: Set<() => void>;
  readonly changed: () => void;
  readonly groups: UpstreamGroups;
  readonly resolver: Resolver;
  readonly datagrams: Datagrams;
  readonly listeners: Listeners;
}

class HostDnsServer implements HostDns {
  readonly #parts: ServerParts;
  /** Upstreams that were dropped, as it was said last. */
  #dropped = '';

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  get status(): HostDnsStatus {
    const { listeners, groups, resolver, datagrams } = this.#parts;
    const { hits, ...counts } = resolver.counts;
    const { backend } = datagrams;
    return {
      listeners: listeners.status,
      upstreams: groups.all.map(({ setting, healthy, lastError }) => ({
        upstream: setting,
        healthy,
        ...(lastError === undefined ? {} : { lastError }),
      })),
      cache: {
        positive: resolver.cache.positiveSize,
        negative: resolver.cache.negativeSize,
        ...counts,
        hits: hits + backend.counts.hits,
        dropped: backend.counts.shed,
      },
    };
  }

  async configure(settings: HostDnsSettings): Promise<void> {
    this.#takeUp(settings);
    await this.#parts.listeners.configure(settings.listen, settings.hopLimit);
  }

  listen(listener: () => void): () => void {
    this.#parts.heard.add(listener);
    return () => this.#parts.heard.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { heard, listeners, datagrams, groups } = this.#parts;
    heard.clear();
    await listeners[Symbol.asyncDispose]();
    await datagrams.backend[Symbol.asyncDispose]();
    groups[Symbol.dispose]();
  }

  #takeUp(settings: HostDnsSettings): void {
    const { resolver, datagrams, groups, changed } = this.#parts;
    for (const name of resolver.setNames(settings)) datagrams.backend.forget(name);
    if (!groups.configure(this.#withoutOurselves(settings))) return;
    resolver.clear();
    datagrams.backend.clear();
    changed();
  }

  /** A server that asks itself waits for itself: our own addresses are no upstreams, wherever they were taken from. */
  #withoutOurselves(settings: HostDnsSettings): Pick<HostDnsSettings, 'upstreams' | 'domains'> {
    const own = new Set(settings.listen.map(hostPort));
    const isOther = ({ address, port }: DnsUpstreamSetting): boolean => !own.has(hostPort({ host: address, port }));
    const dropped = [settings.upstreams, ...settings.domains.values()].flat().filter((upstream) => !isOther(upstream));
    const upstreams = dropped.map(({ address }) => address);
    if (upstreams.length > 0 && upstreams.join() !== this.#dropped)
      this.#parts.log.warn('dns.own-address-as-upstream', { upstreams });
    this.#dropped = upstreams.join();
    return {
      upstreams: settings.upstreams.filter(isOther),
      domains: new Map([...settings.domains].map(([name, servers]) => [name, servers.filter(isOther)])),
    };
  }
}

function sayHealth(log: Logger, { name, healthy, lastError }: Upstream): void {
  if (healthy) log.info('dns.upstream-up', { upstream: name });
  else log.warn('dns.upstream-down', { upstream: name, reason: lastError });
}

async function bindListener(
  { datagrams, ...deps }: { readonly datagrams: Datagrams; readonly resolver: Resolver; readonly clock: Clock },
  transport: 'udp' | 'tcp',
  { listen, hopLimit }: { readonly listen: Listen; readonly hopLimit: number },
): Promise<Bound> {
  if (transport === 'udp') return datagrams.backend.bind(listen, hopLimit);
  const opened = await datagrams.openTcp?.(listen, hopLimit);
  const listener = await startTcpListener(opened ?? listen, deps);
  return { ...listener, ...opened };
}
