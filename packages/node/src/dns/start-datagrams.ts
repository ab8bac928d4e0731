import type { Listen, Logger } from '@bloomery/ports';
import type { NativeTcp, NativeUdp } from './native/native-udp.ts';
import { createPortableUdp } from './portable-udp.ts';
import type { Resolver } from './resolver.ts';
import type { UdpBackend } from './udp-backend.ts';

/** How datagrams are served now: another way takes over when the thread is lost. */
export interface Datagrams {
  readonly backend: UdpBackend;
  /** Absent without native parts: Node cannot set the hop limit of TCP. */
  readonly openTcp: ((listen: Listen, hopLimit: number) => Promise<NativeTcp>) | undefined;
}

export interface DatagramsDeps {
  readonly resolver: Resolver;
  readonly log: Logger;
  readonly cacheSeed: number;
  /** All sockets are gone, and another way is ready to bind them again. */
  readonly lost: () => void;
}

/** Serve by a thread with native parts, or by Node's own means where they are missing, or `datagrams` says so. */
export async function startDatagrams(
  { datagrams }: { readonly datagrams?: 'native' | 'portable' },
  { resolver, log, cacheSeed, lost }: DatagramsDeps,
): Promise<Datagrams> {
  let current: Datagrams = { backend: createPortableUdp(resolver, log), openTcp: undefined };
  const fallBack = (reason: string): void => {
    log.error('dns.thread-lost', { reason });
    current = { backend: createPortableUdp(resolver, log, { ...current.backend.counts }), openTcp: undefined };
    lost();
  };
  if (datagrams !== 'portable') {
    try {
      const native = await startNative({ resolver, log, cacheSeed, lost: fallBack });
      current = { backend: native, openTcp: (listen, hopLimit) => native.openTcp(listen, hopLimit) };
    } catch (error) {
      log.warn('dns.native-parts-missing', { reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return {
    get backend() {
      return current.backend;
    },
    get openTcp() {
      return current.openTcp;
    },
  };
}

/** Loaded only where it is used. */
async function startNative(
  deps: Parameters<typeof import('./native/native-udp.ts')['startNativeUdp']>[0],
): Promise<NativeUdp> {
  const { startNativeUdp } = await import('./native/native-udp.ts');
  return startNativeUdp(deps);
}
