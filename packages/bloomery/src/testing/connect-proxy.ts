import { createServer } from 'node:http';
import { connect } from 'node:net';

/** An HTTP proxy that leads every CONNECT to one server. */
export interface ConnectProxy extends AsyncDisposable {
  readonly url: string;
  /** Targets it was asked for, as `host:port`, in order. */
  readonly asked: readonly string[];
}

/** Start one on this address. */
export async function startConnectProxy(
  host: string,
  to: { readonly host: string; readonly port: number },
): Promise<ConnectProxy> {
  const asked: string[] = [];
  const proxy = createServer().on('connect', (request, client) => {
    asked.push(String(request.url));
    const upstream = connect(to, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) socket.on('error', () => {});
    proxy.once('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, host, resolve));
  const address = proxy.address();
  return {
    url: `http://${host}:${typeof address === 'object' ? address?.port : 0}`,
    asked,
    [Symbol.asyncDispose]: async () => void proxy.close(),
  };
}
