import type { DnsUpstreamSetting, HostDnsSettings } from './host-dns.ts';
import type { ExchangeDeps } from './upstream/exchange.ts';
import { Upstream } from './upstream/upstream.ts';
import { createExchange } from './upstream/upstream-exchange.ts';

/** Who is asked for a name. */
export interface UpstreamGroup {
  readonly upstreams: readonly Upstream[];
  /** The domain of split DNS that decided. */
  readonly domain?: string;
}

/** The upstreams of all settings, each once, and which of them a name goes to. */
export class UpstreamGroups implements Disposable {
  readonly #deps: ExchangeDeps & { readonly changed: (upstream: Upstream) => void };
  readonly #known = new Map<string, Upstream>();
  #default: readonly Upstream[] = [];
  #domains = new Map<string, readonly Upstream[]>();
  #described = '';

  constructor(deps: ExchangeDeps & { readonly changed: (upstream: Upstream) => void }) {
    this.#deps = deps;
  }

  /** All of them, those of the default group first. */
  get all(): readonly Upstream[] {
    return [...this.#known.values()];
  }

  /** Take settings up; upstreams that stay keep what is known of them. @returns whether answers may be others now. */
  configure({ upstreams, domains }: Pick<HostDnsSettings, 'upstreams' | 'domains'>): boolean {
    const described = JSON.stringify([
      upstreams.map(keyOf),
      [...domains].map(([name, list]) => [name, list.map(keyOf)]),
    ]);
    if (described === this.#described) return false;
    this.#described = described;
    const before = new Map(this.#known);
    this.#known.clear();
    const take = (setting: DnsUpstreamSetting): Upstream => this.#take(setting, before);
    this.#default = upstreams.map(take);
    this.#domains = new Map([...domains].map(([name, list]) => [name.toLowerCase(), list.map(take)]));
    for (const upstream of before.values()) upstream[Symbol.dispose]();
    return true;
  }

  /** The group of a name, which is in lower case and without its last dot: the longest domain that it is in decides. */
  groupOf(name: string): UpstreamGroup {
    if (this.#domains.size === 0) return { upstreams: this.#default };
    for (let rest: string | undefined = name; rest !== undefined; rest = parentOf(rest)) {
      const upstreams = this.#domains.get(rest);
      if (upstreams !== undefined) return { upstreams, domain: rest };
    }
    return { upstreams: this.#default };
  }

  [Symbol.dispose](): void {
    for (const upstream of this.#known.values()) upstream[Symbol.dispose]();
    this.#known.clear();
    this.#default = [];
    this.#domains.clear();
    this.#described = '';
  }

  #take(setting: DnsUpstreamSetting, before: Map<string, Upstream>): Upstream {
    const key = keyOf(setting);
    const known = this.#known.get(key) ?? before.get(key);
    const upstream = known ?? new Upstream(setting, { ...this.#deps, exchange: createExchange(setting, this.#deps) });
    before.delete(key);
    this.#known.set(key, upstream);
    if (known === undefined) upstream.probe();
    return upstream;
  }
}

function keyOf({ protocol, address, port, tlsServerName = '' }: DnsUpstreamSetting): string {
  return `${protocol} ${address} ${port} ${tlsServerName}`;
}

function parentOf(name: string): string | undefined {
  const dot = name.indexOf('.');
  return dot < 0 ? undefined : name.slice(dot + 1);
}
