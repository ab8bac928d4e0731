import type { DnsUpstreamSetting, HostDns, HostDnsSettings, HostDnsStatus } from '../../dns/host-dns.ts';

/** A server that serves nobody, but says what it was told and lets tests say how it is. */
export interface FakeHostDns extends HostDns {
  readonly settings: readonly HostDnsSettings[];
  /** Refuse this address from now on; undefined: serve it. */
  refuse(address: string, problem: string | undefined): void;
  setHealthy(address: string, isHealthy: boolean): void;
  count(counts: Partial<HostDnsStatus['cache']>): void;
}

export function createFakeHostDns(): FakeHostDns {
  const settings: HostDnsSettings[] = [];
  const problems = new Map<string, string>();
  const sick = new Set<string>();
  const listeners = new Set<() => void>();
  let cache: HostDnsStatus['cache'] = {
    ...{ positive: 0, negative: 0, hits: 0, misses: 0 },
    ...{ coalesced: 0, stale: 0, failures: 0, dropped: 0 },
  };
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const upstreams = (): readonly DnsUpstreamSetting[] => {
    const last = settings.at(-1);
    return last === undefined ? [] : [...last.upstreams, ...[...last.domains.values()].flat()];
  };
  return {
    settings,
    configure: async (next) => void settings.push(next),
    get status() {
      const wanted = settings.at(-1)?.listen ?? [];
      return {
        listeners: wanted.flatMap((listen) =>
          (['udp', 'tcp'] as const).map((transport) => {
            const problem = problems.get(listen.host);
            return { transport, wanted: listen, ...(problem === undefined ? { bound: listen } : { problem }) };
          }),
        ),
        upstreams: upstreams().map((upstream) => ({ upstream, healthy: !sick.has(upstream.address) })),
        cache,
      };
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refuse: (address, problem) => {
      if (problem === undefined) problems.delete(address);
      else problems.set(address, problem);
      tell();
    },
    setHealthy: (address, isHealthy) => {
      if (isHealthy) sick.delete(address);
      else sick.add(address);
      tell();
    },
    count: (counts) => {
      cache = { ...cache, ...counts };
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
