import type { Clock, RandomBytes } from '@bloomery/ports';
import type { ProxyDialer } from '../../proxies/index.ts';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import type { UpstreamQuestion } from './upstream-question.ts';

/** What the exchanges with upstreams are given. */
export interface ExchangeDeps {
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Opens connections of DoH: through the proxy where one is configured. Its authorities are trusted for DoT and DoH. */
  readonly dialer?: DnsDialer;
}

/** Of the daemon's dialer, what is needed here. */
export type DnsDialer = Pick<ProxyDialer, 'open' | 'authorities'>;

/** What came back, by which way in the end. */
export interface ExchangeAnswer {
  readonly message: Uint8Array;
  readonly transport: 'udp' | 'tcp' | 'tls' | 'https';
}

/** The ways to one upstream. Disposing it closes connections that are kept. */
export interface Exchange extends Disposable {
  /**
   * Ask once.
   * @throws BloomeryError BLM_DNS_UPSTREAM when it cannot be reached or breaks off, or when `signal` aborts.
   */
  ask(question: UpstreamQuestion, signal: AbortSignal): Promise<ExchangeAnswer>;
}

/** `1.1.1.1:53`, `[2606:4700:4700::1111]:853`. */
export function upstreamName({ address, port }: DnsUpstreamSetting): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
