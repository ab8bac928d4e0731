import { encodeTftp } from '@bloomery/wire';
import { ASSET_CHUNK_BYTES, type Asset } from '../asset-cache.ts';
import type { TftpTerms } from './tftp-negotiation.ts';

/** How a transfer ended. */
export type TftpOutcome = 'complete' | 'aborted' | 'silent' | 'failed';

/** What a transfer needs from outside. */
export interface TftpTransferDeps {
  readonly asset: Asset;
  readonly terms: TftpTerms;
  readonly send: (packet: Uint8Array) => void;
  readonly nowMs: () => number;
  /** Called once. */
  readonly onEnd: (outcome: TftpOutcome) => void;
}

/** One read, driven by the client's acknowledgements and by `tick`. */
export interface TftpTransfer {
  acknowledge(block: number): void;
  /** The client or the server gives up. */
  stop(outcome: TftpOutcome): void;
  /** Sends again when the client was silent for too long. Call it a few times a second. */
  tick(): void;
  readonly progress: () => { readonly sentBlocks: number; readonly ackedBlocks: number; readonly retries: number };
}

const TIMEOUT_MAX_MS = 5_000;
const TRIES_MAX = 5;

/**
 * Serve one file. Blocks are counted from 1 without wrapping; on the wire they wrap at 65536. A duplicate acknowledgement never
 * sends data again in lockstep (the Sorcerer's Apprentice), and once per window otherwise.
 * @see RFC 1350, RFC 7440 section 4
 */
export function startTftpTransfer({ asset, terms, send, nowMs, onEnd }: TftpTransferDeps): TftpTransfer {
  const { blockBytes, windowBlocks } = terms;
  const lastBlock = Math.floor(asset.sizeBytes / blockBytes) + 1;
  const source: Source = { asset, index: -1, chunk: undefined };
  const withOack = terms.accepted.length > 0;
  /** -1 until the OACK is acknowledged. */
  let acked = withOack ? -1 : 0;
  let sent = 0;
  let resentFor = -1;
  let waitMs = terms.timeoutMs;
  let tries = 0;
  let retries = 0;
  let lastSendMs = nowMs();
  let ended = false;
  let reading = false;

  const end = (outcome: TftpOutcome): void => {
    if (ended) return;
    ended = true;
    asset.close();
    onEnd(outcome);
  };
  const sendOack = (): void => {
    lastSendMs = nowMs();
    send(encodeTftp({ type: 'oack', options: terms.accepted }));
  };
  /** Sends what the window allows; goes on by itself when a chunk has to be read first. */
  const fill = (): void => {
    if (reading) return;
    const until = Math.min(acked + windowBlocks, lastBlock);
    while (sent < until && !ended) {
      const packet = dataPacket(source, sent + 1, blockBytes);
      if (packet instanceof Promise) {
        reading = true;
        packet.then(
          () => {
            reading = false;
            fill();
          },
          () => end('failed'),
        );
        return;
      }
      sent += 1;
      send(packet);
    }
    lastSendMs = nowMs();
  };

  if (withOack) sendOack();
  else fill();

  return {
    acknowledge: (block) => {
      if (ended) return;
      if (acked < 0) {
        if (block !== 0) return;
        acked = 0;
        tries = 0;
        return fill();
      }
      const at = acked + ((block - acked) & 0xffff);
      if (at > sent) return;
      if (at === acked) {
        if (windowBlocks === 1 || resentFor === acked || sent === acked) return;
        resentFor = acked;
        retries += 1;
      } else {
        acked = at;
        tries = 0;
        waitMs = terms.timeoutMs;
      }
      if (acked >= lastBlock) return end('complete');
      if (!reading) sent = acked;
      fill();
    },
    stop: end,
    tick: () => {
      if (ended || reading || nowMs() - lastSendMs < waitMs) return;
      tries += 1;
      if (tries > TRIES_MAX) return end('silent');
      retries += 1;
      waitMs = Math.max(terms.timeoutMs, Math.min(waitMs * 2, TIMEOUT_MAX_MS));
      if (acked < 0) return sendOack();
      sent = acked;
      fill();
    },
    progress: () => ({ sentBlocks: sent, ackedBlocks: Math.max(0, acked), retries }),
  };
}

/** The chunk that is being sent, so that it is looked up once and not for every block. */
interface Source {
  readonly asset: Asset;
  index: number;
  chunk: Uint8Array | undefined;
}

/** The DATA packet of block `number` (from 1); a promise when the bytes have to be read first. */
function dataPacket(source: Source, number: number, blockBytes: number): Uint8Array | Promise<unknown> {
  const from = (number - 1) * blockBytes;
  const to = Math.min(from + blockBytes, source.asset.sizeBytes);
  const packet = Buffer.allocUnsafe(4 + Math.max(0, to - from));
  packet.writeUInt32BE(0x0003_0000 + (number & 0xffff), 0);
  let at = from;
  while (at < to) {
    const chunk = chunkAt(source, Math.floor(at / ASSET_CHUNK_BYTES));
    if (chunk instanceof Promise) return chunk;
    const start = source.index * ASSET_CHUNK_BYTES;
    const part = chunk.subarray(at - start, to - start);
    packet.set(part, 4 + at - from);
    at += part.byteLength;
  }
  return packet;
}

function chunkAt(source: Source, index: number): Uint8Array | Promise<unknown> {
  if (source.index === index && source.chunk !== undefined) return source.chunk;
  const chunk = source.asset.chunk(index);
  if (chunk instanceof Promise) return chunk;
  source.index = index;
  source.chunk = chunk;
  return chunk;
}
