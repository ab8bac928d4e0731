import type { Clock, Logger } from '@bloomery/ports';
import type { HostnameSpec } from '../resources/index.ts';
import type { LeaseMemory } from './lease-store.ts';
import { type HostName, NO_OUTPUTS, type OperatorOutputs } from './operator.ts';

export interface HeldLeaseDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly memory: LeaseMemory;
  /** Called when the outputs or the problem differ. */
  readonly changed: () => void;
}

/** A lease as its client has read it. */
export interface Leased {
  readonly outputs: OperatorOutputs;
  /** Of the whole lease, from when the server gave it; Infinity: for ever. */
  readonly leaseMs: number;
  /** What the server said, to be read again after a restart. */
  readonly message: Uint8Array;
  /** Who gave it, where it says so in a way that people read. */
  readonly server?: string;
  /** Whether the client had this one before. */
  readonly isRenewed: boolean;
}

/** What was remembered of an earlier run. */
export interface Remembered<L> {
  readonly lease: L;
  /** Milliseconds since the epoch; Infinity: never. */
  readonly endsMs: number;
  readonly hostname: HostName | undefined;
}

/**
 * What a client of DHCP has: the outputs of its lease until that ends, remembered on disk meanwhile, and what stands in the way of a
 * better one.
 */
export class HeldLease {
  readonly #protocol: 'dhcp4' | 'dhcp6';
  readonly #deps: HeldLeaseDeps;
  #outputs: OperatorOutputs = NO_OUTPUTS;
  #problem: string | undefined;
  #cancelEnd = (): void => {};

  constructor(protocol: 'dhcp4' | 'dhcp6', deps: HeldLeaseDeps) {
    this.#protocol = protocol;
    this.#deps = deps;
  }

  get outputs(): OperatorOutputs {
    return this.#outputs;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  get isEmpty(): boolean {
    return this.#outputs === NO_OUTPUTS;
  }

  /** What an earlier run had, unless it has ended. A clock that went backwards makes it void: nobody knows how long it lasts. */
  recall<L extends { readonly leaseMs: number }>(
    read: (message: Uint8Array) => L | undefined,
  ): Remembered<L> | undefined {
    const { clock, memory } = this.#deps;
    const stored = memory.load();
    if (stored === undefined) return undefined;
    const lease = readable(stored.message, read);
    const endsMs = stored.endsMs ?? Number.POSITIVE_INFINITY;
    const leftMs = endsMs - clock.nowMs();
    if (lease !== undefined && leftMs > 0 && leftMs <= lease.leaseMs)
      return { lease, endsMs, hostname: stored.hostname };
    memory.forget();
    return undefined;
  }

  /** From a server, just now. */
  take({ outputs, leaseMs, message, server, isRenewed }: Leased): void {
    const { clock, log, memory } = this.#deps;
    const endsMs = leaseMs === Number.POSITIVE_INFINITY ? undefined : clock.nowMs() + leaseMs;
    memory.save({ endsMs, message, ...nameOf(outputs.hostname) });
    this.#problem = undefined;
    const facts = { ...addressOf(outputs), ...secondsOf(leaseMs), ...(server === undefined ? {} : { server }) };
    log[isRenewed ? 'debug' : 'info'](`${this.#protocol}.leased`, facts);
    this.#hold(outputs, leaseMs);
  }

  /** Have again what an earlier run had, for the rest of its time. */
  resume(outputs: OperatorOutputs, endsMs: number): void {
    const leftMs = endsMs - this.#deps.clock.nowMs();
    if (leftMs <= 0) {
      this.#deps.memory.forget();
      return;
    }
    this.#deps.log.info(`${this.#protocol}.resumed`, { ...addressOf(outputs), ...secondsOf(leftMs) });
    this.#hold(outputs, leftMs);
  }

  /** It is over. */
  lose(reason: 'expired' | 'refused'): void {
    const { log, memory, changed } = this.#deps;
    this.#cancelEnd();
    memory.forget();
    if (this.isEmpty) return;
    log.warn(`${this.#protocol}.lost`, { ...addressOf(this.#outputs), reason });
    this.#outputs = NO_OUTPUTS;
    changed();
  }

  /** Say what stands in the way. */
  blame(problem: string): void {
    const { log, changed } = this.#deps;
    if (this.#problem === problem) return;
    this.#problem = problem;
    log.warn(`${this.#protocol}.problem`, { problem });
    changed();
  }

  /** Ends its timer. The lease is not given back: the next start has it again. */
  stop(): void {
    this.#cancelEnd();
  }

  #hold(outputs: OperatorOutputs, leftMs: number): void {
    this.#outputs = outputs;
    this.#cancelEnd();
    this.#cancelEnd = this.#deps.clock.after(leftMs, () => this.lose('expired'));
    this.#deps.changed();
  }
}

function readable<L>(message: Uint8Array, read: (message: Uint8Array) => L | undefined): L | undefined {
  try {
    return read(message);
  } catch {
    return undefined;
  }
}

function nameOf(hostname: HostnameSpec | undefined): { readonly hostname?: HostName } {
  if (hostname === undefined) return {};
  return { hostname: { hostname: hostname.hostname, domainname: hostname.domainname } };
}

const addressOf = ({ addresses }: OperatorOutputs): { readonly address: string | undefined } => ({
  address: addresses[0]?.address,
});

const secondsOf = (leftMs: number): { readonly seconds: number | 'for ever' } => ({
  seconds: leftMs === Number.POSITIVE_INFINITY ? 'for ever' : Math.floor(leftMs / 1_000),
});
