import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { gunzipSync } from 'node:zlib';

/** Where and as whom to call. Without a certificate and without a token the caller is anonymous. */
export interface Connection {
  readonly url: string;
  readonly caPem: string;
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

export type Headers = Readonly<Record<string, string>>;

/** An answer, unpacked when it was compressed. */
export interface RawAnswer {
  readonly code: number;
  /** Names in lower case; several values of one name joined by newlines. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const agents = new Map<string, Agent>();
const TIMEOUT_MS = 65_000;

/** One request over HTTP/1.1 with kept connections. @throws Error when the connection breaks or 65 s pass. */
export async function rawRequest(
  to: Connection,
  method: string,
  path: string,
  options: { readonly headers?: Headers; readonly body?: string | Uint8Array } = {},
): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  // Node frames the body of a DELETE only when it is told its length.
  const length: Headers = options.body === undefined ? {} : { 'content-length': `${Buffer.byteLength(options.body)}` };
  const call = openRequest(to, method, path, { ...length, ...options.headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', reject);
    response.on('end', () => {
      const bytes = Buffer.concat(chunks);
      const isPacked = response.headers['content-encoding'] === 'gzip';
      resolve({
        code: response.statusCode ?? 0,
        headers: flat(response),
        text: (isPacked ? gunzipSync(bytes) : bytes).toString('utf8'),
      });
    });
  });
  call.setTimeout(TIMEOUT_MS, () => call.destroy(new Error(`${method} ${path} took longer than ${TIMEOUT_MS} ms`)));
  call.on('error', reject);
  call.end(options.body);
  return promise;
}

/** A watch: its lines as they come. Destroying the returned response ends it. */
export async function openStream(to: Connection, path: string, headers: Headers = {}): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const call = openRequest(to, 'GET', path, headers, resolve);
  call.on('error', reject);
  call.end();
  return promise;
}

function openRequest(
  to: Connection,
  method: string,
  path: string,
  headers: Headers | undefined,
  answered: (response: IncomingMessage) => void,
) {
  const all: OutgoingHttpHeaders = {
    'user-agent': 'conformance/1',
    ...(to.token === undefined ? {} : { authorization: `Bearer ${to.token}` }),
    ...headers,
  };
  const { hostname, port } = new URL(to.url);
  return request({ hostname, port, method, path, agent: agentOf(to), headers: all }, answered);
}

function agentOf(to: Connection): Agent {
  const key = JSON.stringify([to.url, to.cert]);
  const known = agents.get(key);
  if (known !== undefined) return known;
  const agent = new Agent({
    keepAlive: true,
    ca: to.caPem,
    ...(to.cert === undefined ? {} : { cert: to.cert }),
    ...(to.key === undefined ? {} : { key: to.key }),
  });
  agents.set(key, agent);
  return agent;
}

function flat(response: IncomingMessage): Record<string, string> {
  const headers: [string, string[] | undefined][] = Object.entries(response.headersDistinct);
  return Object.fromEntries(headers.map(([name, values]) => [name, (values ?? []).join('\n')]));
}

/** Close the kept connections of all targets. */
export function closeConnections(): void {
  for (const agent of agents.values()) agent.destroy();
  agents.clear();
}
