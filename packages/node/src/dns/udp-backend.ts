import type { BoundAddress, Listen } from '@bloomery/ports';
import type { StoredAnswer } from './stored-answer.ts';

/** How datagrams are received and answered. Disposing it closes all its sockets. */
export interface UdpBackend extends AsyncDisposable {
  /**
   * Listen on an address; `hopLimit` is that of the answers.
   * @throws an Error with `code` (EADDRINUSE, …) when it cannot be bound.
   */
  bind(listen: Listen, hopLimit: number): Promise<UdpSocket>;
  /** An answer that it may give to later questions by itself. */
  remember(answer: StoredAnswer): void;
  /** Forget the addresses of a name in wire form. */
  forget(name: Uint8Array): void;
  clear(): void;
  /** Questions that it answered by itself, and those that it could not take up as too many waited. */
  readonly counts: { readonly hits: number; readonly shed: number };
}

export interface UdpSocket extends AsyncDisposable {
  readonly address: BoundAddress;
  setHopLimit(hopLimit: number): void;
}

/** Whether an address is this host's own loopback. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.');
}
