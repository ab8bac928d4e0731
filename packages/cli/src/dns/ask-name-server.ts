import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { BloomeryError, errorText, hostPort, type Listen } from '@bloomery/ports';
import { DNS_RCODE, type DnsMessage, decodeDnsAnswer, encodeDnsQuery } from '@bloomery/wire';

/** What is asked, of whom. */
export interface NameQuestion {
  readonly server: Listen;
  readonly name: string;
  readonly type: number;
  /** Options of EDNS by their code: empty ones ask the server for something. */
  readonly options: readonly number[];
  readonly transport: 'udp' | 'tcp';
}

/** What came back. */
export interface NameAnswer {
  readonly message: DnsMessage;
  /** TCP also when the answer was too long for UDP. */
  readonly transport: 'udp' | 'tcp';
  readonly tookMs: number;
}

const TIMEOUT_MS = 5_000;
/** A datagram may be lost: it is sent again after this time, until the time is over. */
const AGAIN_MS = 1_500;
const UDP_BYTES = 1_232;

/**
 * Ask a name server one question.
 *
 * @throws BloomeryError BLM_DNS_NO_ANSWER; BLM_CLI_USAGE when the name can be none.
 */
export async function askNameServer(question: NameQuestion, signal: AbortSignal): Promise<NameAnswer> {
  const beganMs = performance.now();
  const packet = encode(question);
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const ask = async (transport: 'udp' | 'tcp'): Promise<NameAnswer> => {
    const message = await (transport === 'udp' ? askByUdp : askByTcp)(question, packet, limited);
    return { message, transport, tookMs: performance.now() - beganMs };
  };
  const first = await ask(question.transport);
  if (first.transport === 'tcp' || !first.message.truncated) return first;
  return await ask('tcp');
}

function encode({ name, type, options }: NameQuestion): Buffer {
  const packet = encodeDnsQuery({
    id: randomBytes(2).readUInt16BE(),
    name,
    type,
    edns: { udpSizeBytes: UDP_BYTES, options: options.map((code) => ({ code, data: new Uint8Array() })) },
  });
  if (packet === undefined)
    throw new BloomeryError('BLM_CLI_USAGE', `${name} can be no name: labels have 1 to 63 characters`);
  return Buffer.from(packet);
}

type Ask = (question: NameQuestion, packet: Buffer, signal: AbortSignal) => Promise<DnsMessage>;

const askByUdp: Ask = ({ server, transport }, packet, signal) =>
  new Promise<DnsMessage>((resolve, reject) => {
    const socket = createSocket(isIPv6(server.host) ? 'udp6' : 'udp4');
    const send = (): void => socket.send(packet, () => {});
    const again = setInterval(send, AGAIN_MS);
    let isDone = false;
    const end = (): void => {
      if (isDone) return;
      isDone = true;
      clearInterval(again);
      signal.removeEventListener('abort', abort);
      socket.close();
    };
    const fail = (error: unknown): void => {
      end();
      reject(noAnswer(server, transport, error, signal));
    };
    const abort = (): void => fail(signal.reason);
    signal.addEventListener('abort', abort);
    socket.on('error', fail);
    socket.on('message', (bytes) => {
      const message = answerTo(packet, bytes);
      if (message === undefined) return;
      end();
      resolve(message);
    });
    // Connected, so that the kernel tells when nobody listens. Node tells this callback of failures.
    socket.connect(server.port, server.host, (refused?: Error) => (refused instanceof Error ? fail(refused) : send()));
  });

const askByTcp: Ask = ({ server }, packet, signal) =>
  new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(packet.byteLength);
    const socket = connect({ ...server, signal }, () => socket.write(Buffer.concat([length, packet])));
    socket.on('error', (error) => reject(noAnswer(server, 'tcp', error, signal)));
    socket.on('close', () => reject(noAnswer(server, 'tcp', new Error('the server closed the connection'), signal)));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.byteLength < 2 || received.byteLength < 2 + received.readUInt16BE(0)) return;
      const message = answerTo(packet, received.subarray(2, 2 + received.readUInt16BE(0)));
      if (message === undefined) reject(noAnswer(server, 'tcp', new Error('the answer is rubbish'), signal));
      else resolve(message);
      socket.destroy();
    });
  });

/** The response to this question; undefined for anything else that arrives. */
function answerTo(packet: Buffer, bytes: Uint8Array): DnsMessage | undefined {
  const message = decodeDnsAnswer(bytes);
  return message?.id === packet.readUInt16BE(0) ? message : undefined;
}

function noAnswer(server: Listen, transport: string, cause: unknown, signal: AbortSignal): BloomeryError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const why = signal.aborted ? `nothing came back in ${TIMEOUT_MS / 1000} s` : (REASONS.get(code) ?? errorText(cause));
  const where = hostPort(server);
  return new BloomeryError('BLM_DNS_NO_ANSWER', `asking ${where} over ${transport}: ${why}`, {
    facts: { server: where, transport, try: 'talosctl get dnsresolvecaches, or --server ADDRESS of another server' },
    cause,
  });
}

const REASONS: ReadonlyMap<unknown, string> = new Map([
  ['ECONNREFUSED', 'nobody listens there'],
  ['ENETUNREACH', 'there is no route to it'],
  ['EHOSTUNREACH', 'there is no route to it'],
  ['EADDRNOTAVAIL', 'this host has no such address'],
  ['EINVAL', 'this host cannot send to it'],
]);

/** Whether a response code says that all went well, as far as a server is concerned. */
export const isAnswered = (rcode: number): boolean => rcode === DNS_RCODE.NOERROR || rcode === DNS_RCODE.NXDOMAIN;
