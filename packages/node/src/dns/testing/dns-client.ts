import { createSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { type DnsMessage, type DnsQuestion, decodeDnsAnswer, encodeDnsQuery } from '@bloomery/wire';
import { StreamFramer } from '../stream-framer.ts';

const DEADLINE_MS = 20_000;
let lastId = 0;

/** A question of a test, with an id of its own. */
export function questionOf(question: Partial<DnsQuestion> = {}): Buffer {
  lastId = (lastId + 1) & 0xffff;
  const packet = encodeDnsQuery({ id: lastId, name: 'host.test', type: 1, ...question });
  if (packet === undefined) throw new Error(`no question for ${question.name}`);
  return Buffer.from(packet);
}

/** Send a packet and take the first one that comes back. */
export function askRaw(port: number, packet: Uint8Array, host = '127.0.0.1'): Promise<Buffer> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(new Error('no answer'))), DEADLINE_MS);
    // A question that shall not be answered must not keep the test's process.
    timer.unref();
    socket.unref();
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      socket.close();
      finish();
    };
    socket.once('message', (message) => end(() => resolve(message)));
    socket.once('error', (error) => end(() => reject(error)));
    socket.send(packet, port, host);
  });
}

/** Ask over UDP. */
export async function ask(port: number, question: Partial<DnsQuestion> = {}): Promise<DnsMessage> {
  return decoded(await askRaw(port, questionOf(question)));
}

/** A connection on which many questions may be asked. */
export interface DnsStream extends Disposable {
  readonly socket: Socket;
  /** Messages as they come. */
  readonly messages: Buffer[];
  send(...packets: readonly Uint8Array[]): void;
  readonly closed: Promise<void>;
}

/** Connect over TCP. */
export function openStream(port: number): DnsStream {
  const socket = connect(port, '127.0.0.1');
  const messages: Buffer[] = [];
  const framer = new StreamFramer((message) => messages.push(Buffer.from(message)));
  socket.on('data', (chunk: Buffer) => framer.push(chunk));
  socket.on('error', () => {});
  return {
    socket,
    messages,
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
    send: (...packets) =>
      void socket.write(
        Buffer.concat(packets.flatMap((one) => [Buffer.of(one.byteLength >>> 8, one.byteLength), one])),
      ),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** A message that must be a response. */
export function decoded(message: Uint8Array): DnsMessage {
  const answer = decodeDnsAnswer(message);
  if (answer === undefined) throw new Error(`no response: ${Buffer.from(message).toString('hex')}`);
  return answer;
}
