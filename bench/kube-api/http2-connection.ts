import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { Answer, BenchConnection, Target } from './connection.ts';

/** A request of HTTP/2, ready to be sent. */
interface Http2Request {
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** One of several callers that share a connection of HTTP/2, as the clients of one client-go process do. */
class Http2Caller implements BenchConnection<Http2Request> {
  readonly #session: ClientHttp2Session;
  readonly #target: Target;

  constructor(session: ClientHttp2Session, target: Target) {
    this.#session = session;
    this.#target = target;
  }

  encode(method: string, path: string, body = '', type = 'application/json'): Http2Request {
    const headers = {
      ':method': method,
      ':path': path,
      authorization: `Bearer ${this.#target.token}`,
      'user-agent': 'bench/1',
      accept: 'application/json',
      ...(body === '' ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }),
    };
    return { headers, body };
  }

  send({ headers, body }: Http2Request, keepBody = false): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request(headers, { endStream: body === '' });
      const pieces: Buffer[] = [];
      let status = 0;
      stream.on('response', (head) => {
        status = head[':status'] ?? 0;
      });
      stream.on('data', (bytes: Buffer) => {
        if (keepBody || status >= 300) pieces.push(bytes);
      });
      stream.on('end', () => resolve({ status, body: Buffer.concat(pieces) }));
      stream.on('error', reject);
      if (body !== '') stream.end(body);
    });
  }

  close(): void {
    this.#session.destroy();
  }
}

/** Several callers on one connection. */
export async function openHttp2(target: Target, callers: number): Promise<readonly BenchConnection<Http2Request>[]> {
  const session = connect(`https://127.0.0.1:${target.port}`, { rejectUnauthorized: false });
  await once(session, 'remoteSettings');
  return Array.from({ length: callers }, () => new Http2Caller(session, target));
}
