import { createSocket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { type DnsQuery, emptyDnsAnswer, encodeDnsRecord, encodeDnsSoa, readDnsQuery } from '@bloomery/wire';
import { StreamFramer } from '../stream-framer.ts';

/** One question that came. */
export interface SeenQuestion {
  readonly query: DnsQuery;
  readonly packet: Uint8Array;
  readonly transport: 'udp' | 'tcp';
}

/** What is sent for it; nothing where it is undefined. */
export type Script = (seen: SeenQuestion) => Uint8Array | undefined | Promise<Uint8Array | undefined>;

/** A name server on loopback, UDP and TCP, that answers by a script; probes (`. NS`) are refused as most servers do. */
export interface ScriptedServer extends AsyncDisposable {
  readonly port: number;
  /** Questions but probes, in the order in which they came. */
  readonly seen: readonly SeenQuestion[];
  probes: number;
  script: Script;
  /** Nothing comes in, nothing is sent: as if its host had gone. */
  silent: boolean;
}

/** Start one. */
export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const seen: SeenQuestion[] = [];
  const udp = createSocket('udp4');
  const tcp = createServer();
  const server: ScriptedServer = {
    port: 0,
    seen,
    probes: 0,
    script,
    silent: false,
    async [Symbol.asyncDispose]() {
      await Promise.all([new Promise<void>((resolve) => udp.close(resolve)), closeAll(tcp)]);
    },
  };
  const answer = async (packet: Uint8Array, transport: 'udp' | 'tcp'): Promise<Uint8Array | undefined> => {
    const reading = readDnsQuery(packet);
    if (server.silent || reading === undefined || !reading.ok) return undefined;
    const { query } = reading;
    if (query.name === '') {
      server.probes += 1;
      return emptyDnsAnswer(packet, { rcode: 5, questionEnd: query.questionEnd });
    }
    const one = { query, packet: Uint8Array.from(packet), transport };
    seen.push(one);
    return server.script(one);
  };
  udp.on('message', (packet, from) => {
    void answer(packet, 'udp').then((reply) => {
      if (reply !== undefined) udp.send(reply, from.port, from.address, () => {});
    });
  });
  tcp.on('connection', (socket) => {
    const framer = new StreamFramer((packet) => {
      void answer(packet, 'tcp').then((reply) => {
        if (reply !== undefined && !socket.destroyed)
          socket.write(Buffer.concat([Buffer.of(reply.byteLength >>> 8, reply.byteLength), reply]));
      });
    });
    socket.on('data', (chunk: Buffer) => framer.push(chunk));
    socket.on('error', () => socket.destroy());
  });
  const port = await bindBoth(udp, tcp);
  return Object.assign(server, { port });
}

/** What is put into an answer. */
export interface AnswerParts {
  readonly rcode?: number;
  /** Of the header besides QR, RA and those of the question. */
  readonly flags?: number;
  /** A records of the name that is asked for. */
  readonly addresses?: readonly string[];
  readonly ttlSeconds?: number;
  /** Minimum of an SOA record of `test`. */
  readonly soaSeconds?: number;
  /** Whole records after the addresses. */
  readonly records?: readonly Uint8Array[];
}

/** A response to a question. */
export function answerOf({ packet, query }: Pick<SeenQuestion, 'packet' | 'query'>, parts: AnswerParts = {}): Buffer {
  const { rcode = 0, flags = 0, addresses = [], ttlSeconds = 60, soaSeconds, records = [] } = parts;
  const head = emptyDnsAnswer(packet, { rcode, questionEnd: query.questionEnd });
  head.writeUInt16BE(head.readUInt16BE(2) | flags, 2);
  const answers = [
    ...addresses.map((address) => record(query.name, 1, ttlSeconds, Uint8Array.from(address.split('.'), Number))),
    ...records,
  ];
  const soa = soaSeconds === undefined ? [] : [record('test', 6, 300, soaOf(soaSeconds))];
  head.writeUInt16BE(answers.length, 6);
  head.writeUInt16BE(soa.length, 8);
  return Buffer.concat([head, ...answers, ...soa]);
}

/** A TXT record of so many bytes of text in all. */
export function textRecord(name: string, bytes: number): Uint8Array {
  return record(name, 16, 60, Buffer.concat([Buffer.of(bytes), Buffer.alloc(bytes, 'x')]));
}

function record(name: string, type: number, ttlSeconds: number, data: Uint8Array): Uint8Array {
  const encoded = encodeDnsRecord({ name, type, ttlSeconds, data });
  if (encoded === undefined) throw new Error(`no record of ${name}`);
  return encoded;
}

function soaOf(minimumSeconds: number): Uint8Array {
  return encodeDnsSoa({ primary: 'ns.test', contact: 'admin.test', serial: 1, minimumSeconds }) ?? new Uint8Array();
}

/** UDP and TCP on one free port: what is free for one may be taken for the other, then another one is tried. */
export async function bindBoth(udp: ReturnType<typeof createSocket>, tcp: Server): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((resolve) => {
      tcp.listen(0, '127.0.0.1', () => {
        const address = tcp.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const bound = await new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    udp.removeAllListeners('error');
    if (bound) return port;
    await closeAll(tcp);
  }
}

function closeAll(server: Server): Promise<void> {
  server.unref();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.getConnections(() => resolve());
  });
}
