import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ObjectClient } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import { type Node, node } from '@bloomery/model';
import { type CertificateAuthority, createCertificateAuthority, issueCertificate, pkcs8Pem } from '@bloomery/talos';

/** How the API behaves from now on. `hang`: it accepts connections and says nothing more, as a stopped process does. */
export type FakeBehaviour = 'serve' | 'hang' | { readonly status: number };

/** A Kubernetes API of a workload cluster that has only Nodes, over TLS with an authority of its own. */
export interface FakeWorkloadApi extends AsyncDisposable {
  readonly endpoint: { readonly host: string; readonly port: number };
  readonly authority: CertificateAuthority;
  /** What it holds. */
  readonly objects: ObjectClient;
  behave(behaviour: FakeBehaviour): void;
  /** Paths that were asked for, without their queries. */
  readonly asked: string[];
  /** Close every connection; new ones are accepted. */
  cut(): void;
  /** Listen no more, and cut. */
  stop(): Promise<void>;
  /** Listen on the same port again. */
  start(): Promise<void>;
}

const VALIDITY = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2099-01-01T00:00:00Z') };

/** An authority for such an API. */
export function createFakeAuthority(): Promise<CertificateAuthority> {
  const subject = { organizations: ['kubernetes'] };
  return createCertificateAuthority({ ...VALIDITY, subject, algorithm: 'ecdsa-p256' });
}

/** Start one on 127.0.0.1. */
export async function startFakeWorkloadApi(nodes: readonly Node[] = []): Promise<FakeWorkloadApi> {
  const authority = await createFakeAuthority();
  const served = await issueCertificate(authority, {
    ...VALIDITY,
    subject: { commonName: 'kube-apiserver' },
    names: ['127.0.0.1'],
    extendedKeyUsages: ['serverAuth'],
  });
  const memory = createMemoryClient({ objects: nodes.map((object) => ({ kind: node, object })) });
  const sockets = new Set<Duplex>();
  const asked: string[] = [];
  let behaviour: FakeBehaviour = 'serve';
  const server = createServer({ cert: served.certificatePem, key: pkcs8Pem(served.key) }, (request, response) => {
    asked.push(request.url?.split('?')[0] ?? '');
    if (behaviour === 'serve') void serve(memory, request, response);
    else if (behaviour !== 'hang') response.writeHead(behaviour.status).end();
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    cut();
    await closed;
  };
  return {
    endpoint: { host: '127.0.0.1', port },
    authority,
    objects: memory,
    asked,
    behave(next) {
      behaviour = next;
    },
    cut,
    stop,
    start: () => listen(server, port),
    [Symbol.asyncDispose]: stop,
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

async function serve(memory: MemoryClient, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://x');
  if (pathname === '/livez') return void response.end('ok');
  if (pathname !== '/api/v1/nodes') return void response.writeHead(404).end();
  if (searchParams.get('watch') !== 'true') {
    const { items, resourceVersion } = await memory.list(node);
    return void response.end(JSON.stringify({ kind: 'NodeList', metadata: { resourceVersion }, items }));
  }
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  response.flushHeaders();
  const resourceVersion = searchParams.get('resourceVersion') ?? '0';
  for await (const event of memory.watch(node, { resourceVersion, signal: closed.signal })) {
    response.write(`${JSON.stringify(event)}\n`);
  }
}
