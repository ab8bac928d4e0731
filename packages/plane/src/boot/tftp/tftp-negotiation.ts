import type { TftpOptions } from '@bloomery/wire';

/** What a transfer runs with. */
export interface TftpTerms {
  /** 8..65464 */
  readonly blockBytes: number;
  /** Blocks sent before an acknowledgement is awaited. */
  readonly windowBlocks: number;
  /** First wait before something is sent again. */
  readonly timeoutMs: number;
  /** What is told to the client; empty: the transfer starts without an OACK. */
  readonly accepted: TftpOptions;
}

/** Blocks of one window, whatever the client asks. */
export const WINDOW_MAX_BLOCKS = 64;
const DEFAULT_BLOCK_BYTES = 512;
const DEFAULT_TIMEOUT_MS = 1_000;

/** Decide the terms of a read: unknown and invalid options are ignored. @see RFC 2348, RFC 2349, RFC 7440 */
export function negotiateTftp(options: TftpOptions, sizeBytes: number): TftpTerms {
  let blockBytes = DEFAULT_BLOCK_BYTES;
  let windowBlocks = 1;
  let timeoutMs = DEFAULT_TIMEOUT_MS;
  const accepted = new Map<string, string>();
  for (const [name, text] of options) {
    if (accepted.has(name)) continue;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
    if (name === 'blksize' && value >= 8 && value <= 65_464) {
      blockBytes = value;
      accepted.set(name, String(value));
    } else if (name === 'windowsize' && value >= 1 && value <= 65_535) {
      windowBlocks = Math.min(value, WINDOW_MAX_BLOCKS);
      accepted.set(name, String(windowBlocks));
    } else if (name === 'timeout' && value >= 1 && value <= 255) {
      timeoutMs = value * 1_000;
      accepted.set(name, String(value));
    } else if (name === 'tsize' && value >= 0) accepted.set(name, String(sizeBytes));
  }
  return { blockBytes, windowBlocks, timeoutMs, accepted: [...accepted] };
}
