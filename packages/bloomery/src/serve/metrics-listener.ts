import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Listen, Service } from '@bloomery/ports';

/** Serve `/metrics` over plain HTTP, for Prometheus. */
export async function startMetricsListener(listen: Listen, text: () => Promise<string>): Promise<Service> {
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, maxHeaderSize: 8192 },
    (request, response) => {
      if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('not found; try: /metrics\n');
        return;
      }
      text().then(
        (body) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body),
        () => response.writeHead(500).end(),
      );
    },
  );
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    // Also later, when it changes nothing: one connection that cannot be accepted ends nothing.
    server.on('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  return {
    address: { host: listen.host, port: (server.address() as AddressInfo).port },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
