import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { ResponseReader } from './response-reader.ts';

/** An answer of the benched server. */
export interface Answer {
  readonly status: number;
  /** Empty unless it was asked for. */
  readonly body: Buffer;
}

/** Where a server listens and with which token it is asked. */
export interface Target {
  readonly port: number;
  readonly token: string;
}

/** What requests are sent over; one request at a time. `Request` is one that was made ready before. */
export interface BenchConnection<Request = unknown> {
  encode(method: string, path: string, body?: string, type?: string): Request;
  send(request: Request, keepBody?: boolean): Promise<Answer>;
  close(): void;
}

/** One keep-alive connection of HTTP/1.1. */
export class Connection implements BenchConnection<Buffer> {
  readonly #socket: TLSSocket;
  readonly #head: string;
  readonly #reader = new ResponseReader();
  #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: TLSSocket, target: Target) {
    this.#socket = socket;
    this.#head = ` HTTP/1.1\r\nHost: localhost:${target.port}\r\nAuthorization: Bearer ${target.token}\r\nUser-Agent: bench/1\r\nAccept: application/json\r\n`;
  }

  static async open(target: Target): Promise<Connection> {
    // The certificate is the server's own business here: it listens on our loopback.
    const socket = connect({
      host: '127.0.0.1',
      port: target.port,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    socket.setNoDelay(true);
    await once(socket, 'secureConnect');
    return new Connection(socket, target).#listen();
  }

  /** The bytes of a request. */
  encode(method: string, path: string, body = '', type = 'application/json'): Buffer {
    const length = body === '' ? '' : `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    return Buffer.from(`${method} ${path}${this.#head}${length}\r\n${body}`);
  }

  send(request: Buffer, keepBody = false): Promise<Answer> {
    this.#reader.reset(keepBody);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  /** Send a request whose answer does not end, and hand on what comes, head included. */
  stream(request: Buffer, onData: (bytes: Buffer) => void): void {
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', onData);
    this.#socket.write(request);
  }

  close(): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }

  #listen(): this {
    const socket = this.#socket;
    socket.on('data', (bytes) => {
      if (!this.#reader.push(bytes)) return;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      const { body } = this.#reader;
      waiting?.resolve({
        status: this.#reader.status,
        body: body.length === 1 && body[0] !== undefined ? body[0] : Buffer.concat(body),
      });
    });
    const failed = (error: Error): void => this.#waiting?.reject(error);
    socket.on('error', failed);
    socket.on('close', () => failed(new Error('the server closed the connection')));
    return this;
  }
}

/** Whether an answer is a success; else an error that shows it. */
export function demand(answer: Answer, what: string): Answer {
  if (answer.status < 300) return answer;
  throw new Error(`${what}: ${answer.status} ${answer.body.toString('utf8').slice(0, 500)}`);
}
