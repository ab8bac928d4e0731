import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type ConnectionOptions,
  connect as connectTls,
  createSecureContext,
  getCACertificates,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { BloomeryError, type BoundAddress, type Clock, errorText, hostPort } from '@bloomery/ports';
import { DeferredSocket } from './deferred-socket.ts';
import { type ApiProxy, type Environment, type ProxyRules, proxyFor } from './proxy-for.ts';
import { connectSocks5 } from './socks5.ts';
import { takeBytes } from './take-bytes.ts';

/** What a connection to the API is made with. */
export interface DialDeps {
  readonly clock: Clock;
  /** Read at every connect. Absent: no proxies. */
  readonly environment?: () => Environment;
  /** PEM of further authorities, for the API and for proxies that speak TLS. */
  readonly authorities?: () => string | undefined;
}

/** What is spoken on a connection. */
export interface Spoken {
  /** Whether TLS is spoken to the target, in the proxy's connection if there is one. */
  readonly isTls: boolean;
  /** Protocols offered in TLS; none unless given. */
  readonly protocols?: readonly string[];
  /** Which variables name the proxy; `web` unless given. */
  readonly rules?: ProxyRules;
}

const PROXY_TIMEOUT_MS = 15_000;

/**
 * Open a connection, straight or through the proxy that the environment names now. It may be used at once: what is written waits for
 * the connection, and its failures end it with BLM_LINK_UNREACHABLE or the system's error.
 */
export function openSocket(target: BoundAddress, spoken: Spoken, deps: DialDeps): Duplex {
  const proxy = proxyFor(target, spoken.isTls, deps.environment?.() ?? {}, spoken.rules ?? 'web');
  if (proxy !== undefined) return new DeferredSocket(() => dialThrough(proxy, target, spoken, deps));
  const options = { ...target, ...offered(spoken) };
  return spoken.isTls ? connectTls(tlsOptions(target.host, deps, options)) : connect({ ...target, noDelay: true });
}

/** As `openSocket`, for HTTP/2 and by the rules of gRPC. */
export function openApiSocket(target: BoundAddress, isTls: boolean, deps: DialDeps): Duplex {
  return openSocket(target, { isTls, protocols: ['h2'], rules: 'grpc' }, deps);
}

const offered = ({ protocols = [] }: Spoken): ConnectionOptions =>
  protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] };

async function dialThrough(proxy: ApiProxy, target: BoundAddress, spoken: Spoken, deps: DialDeps): Promise<Socket> {
  let step = `connecting to the proxy ${hostPort(proxy.address)}`;
  const sockets: Socket[] = [];
  const opened = async <S extends Socket>(socket: S, event: 'connect' | 'secureConnect'): Promise<S> => {
    sockets.push(socket);
    await connected(socket, event);
    return socket;
  };
  let isLate = false;
  const cancel = deps.clock.after(PROXY_TIMEOUT_MS, () => {
    isLate = true;
    for (const socket of sockets) socket.destroy();
  });
  try {
    const socket =
      proxy.kind === 'https'
        ? await opened(connectTls(tlsOptions(proxy.address.host, deps, { ...proxy.address })), 'secureConnect')
        : await opened(connect({ ...proxy.address, noDelay: true }), 'connect');
    step = `asking the proxy ${hostPort(proxy.address)} for ${hostPort(target)}`;
    await (proxy.kind === 'socks5' ? connectSocks5(socket, target, proxy) : askHttpProxy(socket, target, proxy));
    if (!spoken.isTls) return socket;
    step = `TLS with ${hostPort(target)} through the proxy ${hostPort(proxy.address)}`;
    return await opened(connectTls(tlsOptions(target.host, deps, { socket, ...offered(spoken) })), 'secureConnect');
  } catch (cause) {
    for (const socket of sockets) socket.destroy();
    const why = isLate ? `no answer in ${PROXY_TIMEOUT_MS / 1000} s` : errorText(cause);
    throw new BloomeryError('BLM_LINK_UNREACHABLE', `${step}: ${why}`, { retryable: true, cause });
  } finally {
    cancel();
  }
}

async function askHttpProxy(socket: Socket, target: BoundAddress, { username, password }: ApiProxy): Promise<void> {
  const who = Buffer.from(`${username}:${password}`).toString('base64');
  const lines = [
    `CONNECT ${hostPort(target)} HTTP/1.1`,
    `Host: ${hostPort(target)}`,
    ...(username === '' ? [] : [`Proxy-Authorization: Basic ${who}`]),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const head = await takeBytes(socket, (bytes) => {
    const end = bytes.indexOf('\r\n\r\n');
    return end === -1 ? undefined : end + 4;
  });
  const [, status = ''] = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1')) ?? [];
  if (!status.startsWith('2')) throw new Error(status === '' ? 'it does not speak HTTP' : `it refused with ${status}`);
}

function tlsOptions(host: string, deps: DialDeps, options: ConnectionOptions): ConnectionOptions {
  const authorities = deps.authorities?.();
  const isName = !/^[\d.]+$|:/.test(host);
  return {
    ...options,
    host,
    ...(isName ? { servername: host } : {}),
    ...(authorities === undefined ? {} : { secureContext: contextOf(authorities) }),
  };
}

let lastContext: { readonly authorities: string; readonly context: SecureContext } | undefined;

/** Reading all authorities takes tens of milliseconds, in which nothing else is done: once for each change of them. */
function contextOf(authorities: string): SecureContext {
  if (lastContext?.authorities !== authorities) {
    const context = createSecureContext({ ca: [...getCACertificates('default'), authorities] });
    lastContext = { authorities, context };
  }
  return lastContext.context;
}

function connected(socket: Socket | TLSSocket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    const closed = (): void => reject(new Error('it closed the connection'));
    socket.once('error', failed).once('close', closed);
    socket.once(event, () => {
      socket.off('error', failed).off('close', closed);
      socket.on('error', () => {});
      resolve();
    });
  });
}
