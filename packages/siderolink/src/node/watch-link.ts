import { BloomeryError, type Clock } from '@bloomery/ports';
import { LINK_DOWN_MS } from '../link-silence.ts';
import type { LinkDevice } from './link-device.ts';
import type { StatusBoard } from './status-board.ts';

const LOOK_MS = 30_000;
/** Before the first handshake: soon at first, then each second. */
const EAGER_MS = 5_000;
const EAGER_LOOK_MS = 200;
const FIRST_LOOK_MS = 1_000;

/** What watching needs. */
export interface WatchLinkOptions {
  readonly clock: Clock;
  readonly board: StatusBoard;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/**
 * Look at the last handshake every 30 s (more often until the first), and keep the status. Returns when there was none for
 * 275 s, or the signal aborts.
 *
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED when the device went away.
 */
export async function watchLink(device: LinkDevice, { clock, board, signal }: WatchLinkOptions): Promise<void> {
  const sinceMs = clock.nowMs();
  let lost: string | undefined;
  const awake = new AbortController();
  const wake = (): void => awake.abort();
  signal.addEventListener('abort', wake, { once: true });
  void device.lost.then((why) => {
    lost = why;
    wake();
  });
  try {
    while (!signal.aborted) {
      if (lost !== undefined) throw new BloomeryError('BLM_LINK_DEVICE_FAILED', `the link's device: ${lost}`);
      const lastHandshakeMs = await device.lastHandshakeMs();
      if (signal.aborted) return;
      const nowMs = clock.nowMs();
      const connected = lastHandshakeMs !== undefined && nowMs - lastHandshakeMs < LINK_DOWN_MS;
      board.set({ connected, lastHandshakeMs, ...(connected ? { lastError: undefined } : {}) });
      const reference = Math.max(sinceMs, lastHandshakeMs ?? 0);
      if (nowMs - reference >= LINK_DOWN_MS) return;
      const firstLookMs = nowMs - sinceMs < EAGER_MS ? EAGER_LOOK_MS : FIRST_LOOK_MS;
      await clock.sleep(connected ? LOOK_MS : firstLookMs, awake.signal);
    }
  } finally {
    signal.removeEventListener('abort', wake);
  }
}
