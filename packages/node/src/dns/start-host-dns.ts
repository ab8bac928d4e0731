import { type Clock, hostPort, type Logger, type RandomBytes } from '@bloomery/ports';
import { explainBindError } from './explain-bind-error.ts';
import type { DnsUpstreamSetting, HostDns, HostDnsSettings, HostDnsStatus } from './host-dns.ts';
import { type Bound, Listeners } from './listeners.ts';
import { Resolver } from './resolver.ts';
import { startDatagrams } from './start-datagrams.ts';
import { startTcpListener } from './tcp-listener.ts';
import type { DnsDialer } from './upstream/exchange.ts';
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
  const { clock, random } = deps;
  const log = deps.log.with({ service: 'dns-resolve-cache' });
  const heard = new Set<() => void>();
  const changed = (): void => {
    for (const hear of [...heard]) hear();
  };
  const groups = new UpstreamGroups({
    ...deps,
    changed: ({ name, healthy, lastError }) => {
      if (!healthy) log.warn('dns.upstream-down', { upstream: name, reason: lastError });
      else log.info('dns.upstream-up', { upstream: name });
      changed();
    },
  });
  const cacheSeed = random(4).reduce((seed, byte) => (seed << 8) | byte, 0);
  const resolver = new Resolver({ clock, log, groups, cacheSeed });
  const datagrams = await startDatagrams(deps, { resolver, log, cacheSeed, lost: () => listeners.rebind('udp') });
  const listeners = new Listeners({
    clock,
    log,
    changed,
    bind: async (transport, listen, hopLimit): Promise<Bound> => {
      if (transport === 'udp') return datagrams.backend.bind(listen, hopLimit);
      const opened = await datagrams.openTcp?.(listen, hopLimit);
      const listener = await startTcpListener(opened ?? listen, { resolver, clock });
      return { ...listener, ...opened };
    },
    explain: (transport, listen, error) => explainBindError(deps.proc ?? '/proc', { transport, listen, error }),
  });
  const status = (): HostDnsStatus => ({
    listeners: listeners.status,
    upstreams: groups.all.map(({ setting, healthy, lastError }) => ({
      upstream: setting,
      healthy,
      ...(lastError === undefined ? {} : { lastError }),
    })),
    cache: {
      positive: resolver.cache.positiveSize,
      negative: resolver.cache.negativeSize,
      hits: resolver.counts.hits + datagrams.backend.counts.hits,
      misses: resolver.counts.misses,
      coalesced: resolver.counts.coalesced,
      stale: resolver.counts.stale,
    },
  });
  const takeUp = (settings: HostDnsSettings): void => {
    for (const name of resolver.setNames(settings)) datagrams.backend.forget(name);
    if (!groups.configure(withoutOurselves(settings, log))) return;
    resolver.clear();
    datagrams.backend.clear();
    changed();
  };
  return {
    get status() {
      return status();
    },
    async configure(settings) {
      takeUp(settings);
      await listeners.configure(settings.listen, settings.hopLimit);
    },
    listen(listener) {
      heard.add(listener);
      return () => heard.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      heard.clear();
      await listeners[Symbol.asyncDispose]();
      await datagrams.backend[Symbol.asyncDispose]();
      groups[Symbol.dispose]();
    },
  };
}

/** A server that asks itself waits for itself: our own addresses are no upstreams, wherever they were taken from. */
function withoutOurselves(settings: HostDnsSettings, log: Logger): Pick<HostDnsSettings, 'upstreams' | 'domains'> {
  const own = new Set(settings.listen.map(hostPort));
  const isOther = ({ address, port }: DnsUpstreamSetting): boolean => !own.has(hostPort({ host: address, port }));
  const dropped = [settings.upstreams, ...settings.domains.values()].flat().filter((upstream) => !isOther(upstream));
  if (dropped.length > 0) log.warn('dns.own-address-as-upstream', { upstreams: dropped.map(({ address }) => address) });
  return {
    upstreams: settings.upstreams.filter(isOther),
    domains: new Map([...settings.domains].map(([name, upstreams]) => [name, upstreams.filter(isOther)])),
  };
}
