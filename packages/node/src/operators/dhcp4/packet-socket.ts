import { BloomeryError, type Logger } from '@bloomery/ports';
import { decodeIpv4Udp, encodeIpv4Udp } from '@bloomery/wire';
import { kernelRefused } from '../../kernel/kernel-error.ts';
import { type LibC, loadLibC } from '../../kernel/libc.ts';
import type { Dhcp4Channel, Dhcp4Link, OnDhcp4 } from './dhcp4-transport.ts';

const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK_CLOEXEC = 0x80800;
const ETH_P_IP = 0x0800;
const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const PACKET_OUTGOING = 4;
const SERVER_PORT = 67;
const CLIENT_PORT = 68;
/** Longest IPv4 packet of a DHCP server that is read whole: more than any link's MTU but jumbo ones. */
const PACKET_MAX = 9_216;
const SOCKADDR_BYTES = 32;
/** Packets taken in one go, so that a flood leaves time for others. */
const BATCH = 64;

/**
 * For packets that begin with the IPv4 header: UDP, unfragmented, to port 68. What else the host receives never wakes this process.
 * Each row: operation, jump if true, jump if false, operand. @see Documentation/networking/filter.rst of Linux
 */
const TO_CLIENT_PORT: readonly (readonly [number, number, number, number])[] = [
  [0x30, 0, 0, 9],
  [0x15, 0, 6, 17],
  [0x28, 0, 0, 6],
  [0x45, 4, 0, 0x3fff],
  [0xb1, 0, 0, 0],
  [0x48, 0, 0, 2],
  [0x15, 0, 1, CLIENT_PORT],
  [0x06, 0, 0, 0x40000],
  [0x06, 0, 0, 0],
];

/**
 * The way to DHCP servers on links that have no address yet: one raw socket for all links, open only while somebody listens. It
 * occupies at most one thread of libuv's pool, however many links ask.
 */
export class PacketSocket {
  readonly #log: Logger;
  readonly #listeners = new Map<number, OnDhcp4>();
  #open: Promise<OpenSocket> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Listen and send on one link; one listener for each link at a time. */
  async listen(link: Dhcp4Link, onReply: OnDhcp4): Promise<Dhcp4Channel> {
    this.#listeners.set(link.index, onReply);
    const leave = (): void => {
      if (this.#listeners.get(link.index) !== onReply) return;
      this.#listeners.delete(link.index);
      if (this.#listeners.size > 0) return;
      const open = this.#open;
      this.#open = undefined;
      open?.then(
        (socket) => socket.end(),
        () => {},
      );
    };
    this.#open ??= openSocket((index, payload) => this.#listeners.get(index)?.(payload), this.#log);
    try {
      const socket = await this.#open;
      return { send: (payload) => socket.send(link, payload), [Symbol.dispose]: leave };
    } catch (error) {
      this.#open = undefined;
      leave();
      throw error;
    }
  }
}

interface OpenSocket {
  send(link: Dhcp4Link, payload: Uint8Array): void;
  end(): void;
}

async function openSocket(onReply: (linkIndex: number, payload: Uint8Array) => void, log: Logger): Promise<OpenSocket> {
  const libc = await loadLibC();
  if (libc === undefined)
    throw new BloomeryError('BLM_NODE_DHCP', 'opening a raw socket for DHCP: no FFI on this platform');
  const socket = libc.socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0);
  if (socket < 0) throw refused('opening a raw socket for DHCP', libc);
  const wake = libc.eventfd(0, SOCK_NONBLOCK_CLOEXEC);
  let isEnded = false;
  const close = (): void => {
    libc.close(socket);
    if (wake >= 0) libc.close(wake);
  };
  try {
    if (wake < 0) throw refused('making an eventfd for DHCP', libc);
    attachFilter(libc, socket);
    // Only now packets come in: none that the filter has not seen.
    if (libc.bind(socket, linkAddress(0, new Uint8Array()), 20) < 0)
      throw refused('binding a raw socket for DHCP', libc);
  } catch (error) {
    close();
    throw error;
  }
  const receive = receiver(libc, socket, onReply);
  const waiter = libc.waiter([socket, wake]);
  const watch = async (): Promise<void> => {
    while (!isEnded) {
      await waiter.wait();
      if (!isEnded) receive();
    }
  };
  watch()
    .catch((error: unknown) => log.error('dhcp4.socket', { problem: String(error) }))
    .finally(() => {
      // Its number may be that of something else from now on.
      isEnded = true;
      waiter.free();
      close();
    });
  return {
    send: (link, payload) => {
      const to = linkAddress(link.index, macBytes(link.broadcastAddr));
      const packet = encodeIpv4Udp({
        source: '0.0.0.0',
        destination: '255.255.255.255',
        sourcePort: CLIENT_PORT,
        destinationPort: SERVER_PORT,
        payload,
      });
      if (isEnded || libc.sendto(socket, packet, packet.byteLength, 0, to, to.byteLength) < 0) {
        throw refused(`sending a DHCP message on ${link.name}`, libc);
      }
    },
    end: () => {
      isEnded = true;
      const one = Buffer.alloc(8);
      one.writeBigUInt64LE(1n);
      libc.write(wake, one, 8);
    },
  };
}

function receiver(libc: LibC, socket: number, onReply: (linkIndex: number, payload: Uint8Array) => void): () => void {
  const buffer = Buffer.alloc(PACKET_MAX);
  const from = Buffer.alloc(SOCKADDR_BYTES);
  const fromBytes = Buffer.alloc(4);
  return () => {
    for (let i = 0; i < BATCH; i++) {
      fromBytes.writeUInt32LE(SOCKADDR_BYTES);
      const length = libc.recvfrom(socket, buffer, PACKET_MAX, 0, from, fromBytes);
      if (length < 0) return;
      if (from[10] === PACKET_OUTGOING) continue;
      const datagram = decodeIpv4Udp(buffer.subarray(0, length));
      if (datagram?.sourcePort !== SERVER_PORT || datagram.destinationPort !== CLIENT_PORT) continue;
      onReply(from.readInt32LE(4), Uint8Array.from(datagram.payload));
    }
  };
}

function attachFilter(libc: LibC, socket: number): void {
  const program = Buffer.alloc(TO_CLIENT_PORT.length * 8);
  for (const [i, [operation, ifTrue, ifFalse, operand]] of TO_CLIENT_PORT.entries()) {
    program.writeUInt16LE(operation, i * 8);
    program.writeUInt8(ifTrue, i * 8 + 2);
    program.writeUInt8(ifFalse, i * 8 + 3);
    program.writeUInt32LE(operand, i * 8 + 4);
  }
  const attached = libc.withNative(program, (address) => {
    const head = Buffer.alloc(16);
    head.writeUInt16LE(TO_CLIENT_PORT.length, 0);
    head.writeBigUInt64LE(address, 8);
    return libc.setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, head, head.byteLength);
  });
  if (attached < 0) throw refused('filtering a raw socket for DHCP', libc);
}

/** A `sockaddr_ll`. Long hardware addresses (InfiniBand) reach over the end of its fixed part, as the kernel allows. */
function linkAddress(index: number, hardware: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + Math.max(8, hardware.byteLength));
  out.writeUInt16LE(AF_PACKET, 0);
  out.writeUInt16BE(ETH_P_IP, 2);
  out.writeInt32LE(index, 4);
  out.writeUInt8(hardware.byteLength, 11);
  out.set(hardware, 12);
  return out;
}

/** Bytes of a hardware address in text form. */
export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(':', ''), 'hex'));
}

function refused(what: string, libc: LibC): BloomeryError {
  return kernelRefused(what, { errno: libc.errno() });
}
