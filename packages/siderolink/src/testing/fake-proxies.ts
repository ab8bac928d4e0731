import { once } from 'node:events';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { takeBytes } from '../dial/take-bytes.ts';

/** A proxy of a test: every name leads to this host. */
export interface FakeProxy extends AsyncDisposable {
  readonly port: number;
  /** Targets it was asked for, as `host:port`, in order. */
  readonly asked: readonly string[];
}

/** How a fake proxy treats its clients. */
export interface FakeProxyOptions {
  /** `user:password` it insists on. */
  readonly credentials?: string;
  /** Refuse every target: with this status or SOCKS code; `silent`: never answer. */
  readonly refuse?: number | 'silent';
  /** Give the server's first bytes in the same packet as the consent: HTTP/2 servers speak at once. */
  readonly withFirstBytes?: boolean;
  /** Speak TLS with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A proxy that speaks HTTP CONNECT. */
export function startConnectProxy(options: FakeProxyOptions = {}): Promise<FakeProxy> {
  return startProxy(options, async (socket, asked) => {
    const end = (bytes: Buffer): number => bytes.indexOf('\r\n\r\n');
    const bytes = await takeBytes(socket, (b) => (b[0] !== 0x43 ? b.length : end(b) === -1 ? undefined : end(b) + 4));
    const head = bytes.toString('latin1').split('\r\n');
    const target = head[0]?.split(' ')[1] ?? '';
    if (target === '') {
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      return undefined;
    }
    asked.push(target);
    const wanted = Buffer.from(options.credentials ?? '').toString('base64');
    const isKnown = options.credentials === undefined || head.includes(`Proxy-Authorization: Basic ${wanted}`);
    if (options.refuse === 'silent') return undefined;
    if (!isKnown || options.refuse !== undefined) {
      socket.end(`HTTP/1.1 ${isKnown ? options.refuse : 407} No\r\n\r\n`);
      return undefined;
    }
    return { port: Number(target.split(':').at(-1)), greeting: Buffer.from('HTTP/1.1 200 OK\r\nVia: test\r\n\r\n') };
  });
}

/** A proxy that speaks SOCKS 5. */
export function startSocksProxy(options: FakeProxyOptions = {}): Promise<FakeProxy> {
  return startProxy(options, async (socket, asked) => {
    const hello = await takeBytes(socket, (b) => (b.length < 2 + (b[1] ?? 0) ? undefined : 2 + (b[1] ?? 0)));
    const method = options.credentials === undefined ? 0 : hello.subarray(2).includes(2) ? 2 : 0xff;
    socket.write(Uint8Array.from([5, method]));
    if (method === 0xff) return undefined;
    if (method === 2) {
      const login = await takeBytes(socket, (b) => {
        const end = 2 + (b[1] ?? 0);
        return b.length <= end || b.length < end + 1 + (b[end] ?? 0) ? undefined : end + 1 + (b[end] ?? 0);
      });
      const end = 2 + (login[1] ?? 0);
      const isKnown = `${login.subarray(2, end)}:${login.subarray(end + 1)}` === options.credentials;
      socket.write(Uint8Array.from([1, isKnown ? 0 : 1]));
      if (!isKnown) return undefined;
    }
    const wish = await takeBytes(socket, (b) =>
      b.length < 5 || b.length < 7 + (b[4] ?? 0) ? undefined : 7 + (b[4] ?? 0),
    );
    const name = wish.subarray(5, -2).toString();
    const port = wish.readUInt16BE(wish.length - 2);
    asked.push(`${name}:${port}`);
    if (options.refuse === 'silent') return undefined;
    if (options.refuse !== undefined) {
      socket.write(Uint8Array.from([5, options.refuse, 0, 1, 0, 0, 0, 0, 0, 0]));
      return undefined;
    }
    return { port, greeting: Uint8Array.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]) };
  });
}

type Negotiate = (
  socket: Socket,
  asked: string[],
) => Promise<{ readonly port: number; readonly greeting: Uint8Array } | undefined>;

async function startProxy({ tls, withFirstBytes }: FakeProxyOptions, negotiate: Negotiate): Promise<FakeProxy> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    open.add(socket);
    return socket.on('error', () => {}).on('close', () => open.delete(socket));
  };
  const serve = async (client: Socket): Promise<void> => {
    track(client);
    const found = await negotiate(client, asked).catch(() => undefined);
    if (found === undefined) return;
    const server = track(dial(found.port, '127.0.0.1'));
    client.pipe(server);
    if (withFirstBytes !== true) client.write(found.greeting);
    else {
      const [first] = await once(server, 'data');
      client.write(Buffer.concat([found.greeting, first]));
    }
    server.pipe(client);
  };
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
