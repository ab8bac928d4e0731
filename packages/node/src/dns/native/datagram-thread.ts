import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { AnswerCache, answerCacheBytes, MISS } from '../answer-cache.ts';
import { forgetName } from '../forget-name.ts';
import { BATCH, BATCH_BYTES, DatagramBatch, SEND_BYTES } from './datagram-batch.ts';
import { type DatagramFrame, decodeFrames, encodeFrames } from './datagram-frames.ts';
import { addressOf, LINUX, type Libc } from './libc.ts';
import { openSocket, type SocketRoom, setHopLimit } from './open-socket.ts';
import { COUNT, type FromThread, type ThreadStart, type ToThread } from './thread-messages.ts';

/** Addresses that are listened on at once. */
const SOCKETS_MAX = 15;
const POLLFD_BYTES = 8;
/** Questions that wait for the other thread; more are dropped, clients ask again. */
const WAITING_MAX = 2_000;
/** Full batches of one socket before the others and the other thread have their turn. */
const ROUNDS_MAX = 16;
const PACKET_MAX_BYTES = 65_536;

const POLL_AT = 0;
const SCRATCH_AT = POLL_AT + (SOCKETS_MAX + 1) * POLLFD_BYTES;
const SCRATCH_BYTES = 64;
const SLOW_AT = SCRATCH_AT + SCRATCH_BYTES;
const BATCH_AT = SLOW_AT + PACKET_MAX_BYTES;
const CACHE_AT = BATCH_AT + BATCH_BYTES;

interface ThreadSocket {
  readonly id: number;
  readonly fd: number;
}

/**
 * The thread that receives datagrams, answers what its cache knows, and hands the rest to the other thread. It waits in poll for
 * ever: what the other thread says is announced by an event descriptor. It never returns to Node's event loop until it is stopped.
 */
export class DatagramThread {
  readonly #libc: Libc;
  readonly #port: MessagePort;
  readonly #counts: Float64Array;
  readonly #memory = new Uint8Array(CACHE_AT + answerCacheBytes());
  readonly #address = addressOf(this.#memory);
  readonly #room: SocketRoom;
  readonly #poll: Int32Array;
  readonly #batch: DatagramBatch;
  readonly #cache: AnswerCache;
  readonly #wakeFd: number;
  #sockets: ThreadSocket[] = [];
  #asked: DatagramFrame[] = [];
  #waiting = 0;
  #stopped = false;

  constructor(libc: Libc, { port, cacheSeed, counts }: ThreadStart) {
    this.#libc = libc;
    this.#port = port;
    this.#counts = counts;
    const memory = this.#memory;
    this.#room = { bytes: memory.subarray(SCRATCH_AT, SLOW_AT), address: this.#address + SCRATCH_AT };
    this.#poll = new Int32Array(memory.buffer, POLL_AT, 2 * (SOCKETS_MAX + 1));
    this.#batch = new DatagramBatch(libc, memory, BATCH_AT);
    this.#cache = new AnswerCache({ memory, at: CACHE_AT, seed: cacheSeed, datagramMaxBytes: SEND_BYTES });
    this.#wakeFd = libc.eventfd(0, LINUX.EFD_CLOEXEC | LINUX.EFD_NONBLOCK);
    if (this.#wakeFd < 0) throw new Error(`no event descriptor: errno ${libc.errno()}`);
    this.#setPoll(0, this.#wakeFd);
    this.#say({ did: 'start', wakeFd: this.#wakeFd });
  }

  /** Serve until it is told to stop. */
  run(): void {
    // What was said while it was being made.
    this.#hear();
    while (!this.#stopped) {
      this.#libc.poll(this.#address + POLL_AT, 1 + this.#sockets.length, -1);
      for (let i = 0; i < this.#sockets.length; i++) this.#serveIfReady(i);
      this.#handOver();
      if ((this.#poll[1] ?? 0) >>> 16 !== 0) this.#hear();
    }
    for (const { fd } of this.#sockets) this.#libc.close(fd);
  }

  #serveIfReady(i: number): void {
    const socket = this.#sockets[i];
    if (socket !== undefined && (this.#poll[2 * i + 3] ?? 0) >>> 16 !== 0) this.#serve(socket);
  }

  #serve({ id, fd }: ThreadSocket): void {
    const batch = this.#batch;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const count = batch.receive(fd);
      if (count <= 0) return;
      // Only differences count here, and this clock is never set.
      const nowMs = performance.now();
      let hits = 0;
      for (let i = 0; i < count; i++) {
        const at = batch.questionAt(i);
        const length = batch.questionLength(i);
        const replyLength = this.#cache.reply(at, length, batch.replyAt, nowMs);
        if (replyLength !== MISS) {
          batch.addReply(i, replyLength);
          hits++;
        } else {
          this.#miss(id, i, length);
        }
      }
      // Before they are sent: who has an answer may look at the numbers.
      this.#count(COUNT.HITS, hits);
      if (hits > 0) batch.send(fd);
      for (let i = 0; i < count; i++) batch.release(i);
      if (count < BATCH) return;
    }
  }

  /** Responses and scraps are nobody's questions: they are dropped here, and do not count as waiting. */
  #miss(socket: number, i: number, length: number): void {
    const at = this.#batch.questionAt(i);
    if (length < 12 || ((this.#memory[at + 2] ?? 0) & 0x80) !== 0) return;
    if (this.#waiting >= WAITING_MAX) {
      this.#count(COUNT.SHED, 1);
      return;
    }
    this.#waiting += 1;
    this.#asked.push({ socket, peer: this.#batch.peerOf(i), packet: this.#memory.slice(at, at + length) });
  }

  #handOver(): void {
    if (this.#asked.length === 0) return;
    const frames = encodeFrames(this.#asked);
    this.#asked = [];
    this.#say({ did: 'ask', frames }, [frames.buffer]);
  }

  #hear(): void {
    this.#libc.read(this.#wakeFd, this.#room.address, 8);
    for (;;) {
      const received: { readonly message: readonly ToThread[] } | undefined = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      for (const told of received.message) this.#do(told);
    }
  }

  #do(told: ToThread): void {
    if (told.do === 'send') this.#sendAll(told.frames);
    else if (told.do === 'remember') this.#cache.store(told.answer, performance.now());
    else if (told.do === 'forget') forgetName(this.#cache, told.name);
    else if (told.do === 'clear') this.#cache.clear();
    else if (told.do === 'bind') this.#bind(told);
    else if (told.do === 'close') this.#close(told.socket);
    else if (told.do === 'hops') setHopLimit(this.#libc, this.#room, told);
    else this.#stopped = true;
  }

  #sendAll(frames: Uint8Array): void {
    for (const { socket, peer, packet } of decodeFrames(frames)) {
      this.#waiting -= 1;
      const fd = this.#sockets.find(({ id }) => id === socket)?.fd;
      if (fd === undefined || packet.byteLength === 0) continue;
      this.#memory.set(peer, SCRATCH_AT);
      this.#memory.set(packet, SLOW_AT);
      const at = this.#address + SLOW_AT;
      this.#libc.sendto(fd, at, packet.byteLength, LINUX.MSG_DONTWAIT, this.#room.address, peer.byteLength);
    }
  }

  #bind(told: ToThread & { readonly do: 'bind' }): void {
    const full = told.transport === 'udp' && this.#sockets.length >= SOCKETS_MAX;
    const opened = full ? { errno: EMFILE } : openSocket(this.#libc, this.#room, told);
    if ('errno' in opened) {
      this.#say({ did: 'fail', socket: told.socket, errno: opened.errno });
      return;
    }
    // A TCP listener is served by the other thread, where Node does it.
    if (told.transport === 'udp') {
      this.#sockets.push({ id: told.socket, fd: opened.fd });
      this.#setPolls();
    }
    this.#say({ did: 'bind', socket: told.socket, fd: opened.fd, port: opened.port });
  }

  #close(socket: number): void {
    const found = this.#sockets.find(({ id }) => id === socket);
    if (found !== undefined) this.#libc.close(found.fd);
    this.#sockets = this.#sockets.filter((one) => one !== found);
    this.#setPolls();
    this.#say({ did: 'close', socket });
  }

  #setPolls(): void {
    this.#sockets.forEach(({ fd }, i) => {
      this.#setPoll(i + 1, fd);
    });
  }

  #setPoll(i: number, fd: number): void {
    this.#poll[2 * i] = fd;
    this.#poll[2 * i + 1] = LINUX.POLLIN;
  }

  #count(place: number, by: number): void {
    this.#counts[place] = (this.#counts[place] ?? 0) + by;
  }

  #say(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

const EMFILE = 24;
