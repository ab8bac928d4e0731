import { isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, getCACertificates, type TLSSocket } from 'node:tls';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import type { ExchangeDeps } from './exchange.ts';
import { openTcp } from './open-tcp.ts';

/** A TLS 1.3 connection to an upstream, whose certificate must be for its server name, or its address where it has none. */
export async function openTls(
  upstream: DnsUpstreamSetting,
  deps: ExchangeDeps & { readonly alpn: readonly string[] },
  signal: AbortSignal,
): Promise<TLSSocket> {
  const name = upstream.tlsServerName ?? upstream.address;
  const socket = await openConnection(upstream, deps, signal);
  const authorities = deps.dialer?.authorities?.();
  const tls = connectTls({
    socket,
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    minVersion: 'TLSv1.3',
    ALPNProtocols: [...deps.alpn],
    ...(authorities === undefined ? {} : { ca: [...getCACertificates('default'), authorities] }),
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', abort);
      tls.destroy();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(new Error('timeout'));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort);
    tls.once('error', fail);
    tls.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      tls.removeListener('error', fail);
      resolve(tls);
    });
  });
}

/** DNS over HTTPS goes where HTTPS goes, by the variables for it; DNS over TLS has a port that proxies refuse. */
async function openConnection(
  { address, port, protocol }: DnsUpstreamSetting,
  { dialer }: ExchangeDeps,
  signal: AbortSignal,
): Promise<Duplex> {
  const target = { host: address, port };
  if (dialer === undefined || protocol !== 'DoH') return openTcp(target, signal);
  return dialer.open(target, { isTls: false, rules: 'grpc' });
}
