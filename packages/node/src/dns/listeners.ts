import { type Clock, hostPort, type Listen, type Logger } from '@bloomery/ports';
import type { HostDnsListener } from './host-dns.ts';

const TRY_AGAIN_MS = { first: 250, max: 30_000 } as const;

/** A socket that listens. */
export interface Bound extends AsyncDisposable {
  readonly address: { readonly host: string; readonly port: number };
  setHopLimit?(hopLimit: number): void;
}

export interface ListenersDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly bind: (transport: 'udp' | 'tcp', listen: Listen, hopLimit: number) => Promise<Bound>;
  /** What is wrong, from the error of `bind`: with who has the port, where that is known. */
  readonly explain: (transport: 'udp' | 'tcp', listen: Listen, error: unknown) => Promise<string>;
  readonly changed: () => void;
}

interface Listener {
  readonly transport: 'udp' | 'tcp';
  readonly wanted: Listen;
  bound: Bound | undefined;
  problem: string | undefined;
  failures: number;
  ended: boolean;
  cancelRetry: () => void;
  work: Promise<void>;
}

/** Keeps listeners as they are wanted: what stays is not touched, what cannot be bound is tried again for ever. */
export class Listeners implements AsyncDisposable {
  readonly #deps: ListenersDeps;
  readonly #listeners = new Map<string, Listener>();
  #hopLimit = 1;

  constructor(deps: ListenersDeps) {
    this.#deps = deps;
  }

  get status(): readonly HostDnsListener[] {
    return [...this.#listeners.values()].map(({ transport, wanted, bound, problem }) => ({
      transport,
      wanted,
      ...(bound === undefined ? {} : { bound: bound.address }),
      ...(problem === undefined ? {} : { problem }),
    }));
  }

  /** Resolves when each wanted address was tried once and those not wanted are closed. */
  async configure(wanted: readonly Listen[], hopLimit: number): Promise<void> {
    const keys = new Map<string, { readonly transport: 'udp' | 'tcp'; readonly listen: Listen }>();
    for (const listen of wanted)
      for (const transport of ['udp', 'tcp'] as const)
        keys.set(`${transport} ${hostPort(listen)}`, { transport, listen });
    const gone = [...this.#listeners].filter(([key]) => !keys.has(key));
    for (const [key] of gone) this.#listeners.delete(key);
    await Promise.all(gone.map(([, listener]) => this.#end(listener)));
    if (hopLimit !== this.#hopLimit) {
      this.#hopLimit = hopLimit;
      for (const { bound } of this.#listeners.values()) bound?.setHopLimit?.(hopLimit);
    }
    for (const [key, { transport, listen }] of keys) {
      if (this.#listeners.has(key)) continue;
      const listener: Listener = {
        transport,
        wanted: listen,
        bound: undefined,
        problem: undefined,
        failures: 0,
        ended: false,
        cancelRetry: () => {},
        work: Promise.resolve(),
      };
      this.#listeners.set(key, listener);
      listener.work = this.#bind(listener);
    }
    await Promise.all([...this.#listeners.values()].map(({ work }) => work));
  }

  /** Bind all of this transport anew: their sockets are gone. */
  rebind(transport: 'udp' | 'tcp'): void {
    for (const listener of this.#listeners.values()) {
      if (listener.transport !== transport || listener.bound === undefined) continue;
      listener.bound = undefined;
      listener.work = this.#bind(listener);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#listeners.values()];
    this.#listeners.clear();
    await Promise.all(all.map((listener) => this.#end(listener)));
  }

  async #bind(listener: Listener): Promise<void> {
    const { transport, wanted } = listener;
    const hopLimit = this.#hopLimit;
    try {
      const bound = await this.#deps.bind(transport, wanted, hopLimit);
      if (listener.ended) return await bound[Symbol.asyncDispose]();
      if (hopLimit !== this.#hopLimit) bound.setHopLimit?.(this.#hopLimit);
      listener.bound = bound;
      listener.problem = undefined;
      listener.failures = 0;
      this.#deps.log.info('dns.listening', { transport, address: hostPort(bound.address) });
    } catch (error) {
      if (listener.ended) return;
      const before = listener.problem;
      listener.problem = await this.#deps.explain(transport, wanted, error);
      if (listener.problem !== before)
        this.#deps.log.warn('dns.cannot-listen', { transport, address: hostPort(wanted), problem: listener.problem });
      this.#retryLater(listener);
      if (listener.problem === before) return;
    }
    this.#deps.changed();
  }

  #retryLater(listener: Listener): void {
    const delayMs = Math.min(TRY_AGAIN_MS.max, TRY_AGAIN_MS.first * 2 ** Math.min(20, listener.failures));
    listener.failures += 1;
    listener.cancelRetry();
    listener.cancelRetry = this.#deps.clock.after(delayMs, () => {
      listener.work = this.#bind(listener);
    });
  }

  async #end(listener: Listener): Promise<void> {
    listener.ended = true;
    listener.cancelRetry();
    await listener.work;
    await listener.bound?.[Symbol.asyncDispose]();
    listener.bound = undefined;
  }
}
