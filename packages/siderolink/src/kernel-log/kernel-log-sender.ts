import { type Clock, errorText, type Logger } from '@bloomery/ports';
import { createSaidOnce, type SaidOnce } from '../node/said-once.ts';
import { kernelLogLine } from './kernel-log-line.ts';
import { parseKernelLogRecord } from './kernel-log-record.ts';
import type { KernelLogSource } from './kernel-log-source.ts';
import { createLogDestination, type Delivery, type LogDestination } from './log-destination.ts';

/** What is sent, and where to. */
export interface KernelLogOptions {
  /** `tcp://[address]:port` or `udp://…`, 1 to 16. */
  readonly destinations: readonly string[];
  readonly source: KernelLogSource;
  /** Nanoseconds from the epoch to boot. */
  readonly bootTimeNs: bigint;
}

/** What sending needs. */
export interface KernelLogDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether there is a way to this host now. Absent: always. */
  readonly isReachable?: (host: string) => boolean;
}

/** Totals of records since the start. */
export interface KernelLogCounts {
  /** Taken by at least one destination. */
  readonly sent: number;
  /** Part of them was out when a connection stalled. */
  readonly lost: number;
  /** Read, but no records of the kernel's form. */
  readonly malformed: number;
}

/** A running sender of the kernel log. Disposing it sends what comes until there was nothing new for 100 ms, 5 s at most. */
export interface KernelLogSender extends AsyncDisposable {
  counts(): KernelLogCounts;
  /** The link has another address: close all connections. The record that is being sent goes on the next one. */
  reconnect(): void;
}

const DESTINATIONS_MAX = 16;
const RETRY_MS = 1_000;
/** How long the others are waited for once a destination took a record. */
const GRACE_MS = 1_000;
const SILENCE_MS = 100;
const DRAIN_MAX_MS = 5_000;

/**
 * Start sending kernel log records, one at a time and in order. Nothing is buffered: what waits stays in the kernel's ring.
 *
 * @throws BloomeryError BLM_LINK_CONFIG_INVALID for a destination that is none.
 * @see spec/siderolink.md section 8
 */
export function startKernelLogSender(options: KernelLogOptions, deps: KernelLogDeps): KernelLogSender {
  const counts = { sent: 0, lost: 0, malformed: 0 };
  const urls = [...new Set(options.destinations)].slice(0, DESTINATIONS_MAX);
  const targets = urls.map((url) => createTarget(createLogDestination(url, deps.clock), deps));
  const stopping = new AbortController();
  const stopped = new AbortController();
  const sendAll = async (): Promise<void> => {
    for await (const raw of untilSilence(options.source, stopping.signal, stopped, deps.clock)) {
      const record = parseKernelLogRecord(raw);
      if (record === undefined) {
        counts.malformed += 1;
        continue;
      }
      const line = Buffer.from(kernelLogLine(record, options.bootTimeNs));
      const result = await sendRecord(line, targets, stopped.signal, deps.clock);
      if (result !== 'unsent') counts[result] += 1;
    }
  };
  const done = sendAll().catch((error: unknown) => {
    deps.log.warn('link.kernel_log_unreadable', { error: errorText(error) });
  });
  return {
    counts: () => ({ ...counts }),
    reconnect: () => {
      for (const target of targets) target.destination.reset();
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      const giveUp = (): void => {
        stopped.abort();
        for (const target of targets) target.destination.reset();
      };
      if (targets.every((target) => deps.isReachable?.(target.destination.host) === false)) giveUp();
      const cancel = deps.clock.after(DRAIN_MAX_MS, giveUp);
      await done;
      cancel();
      for (const target of targets) target.destination[Symbol.dispose]();
    },
  };
}

interface Target {
  readonly destination: LogDestination;
  /** `unsent` at once while it is busy with an earlier record or rests after a failure. */
  send(line: Buffer): Promise<Delivery>;
}

function createTarget(destination: LogDestination, deps: KernelLogDeps): Target {
  const { clock, log, isReachable = () => true } = deps;
  const said: SaidOnce = createSaidOnce(log, 'link.kernel_log_stuck');
  let isBusy = false;
  let restsUntilMs = 0;
  const fail = (why: unknown): void => {
    restsUntilMs = clock.nowMs() + RETRY_MS;
    said.trouble(why, { destination: destination.url, retryMs: RETRY_MS });
  };
  return {
    destination,
    send: async (line) => {
      if (!isReachable(destination.host)) return 'unsent';
      if (isBusy || clock.nowMs() < restsUntilMs) return 'unsent';
      isBusy = true;
      try {
        const result = await destination.send(line);
        if (result === 'sent') said.well();
        else fail(new Error('the receiver reads no more'));
        return result;
      } catch (error) {
        fail(error);
        return 'unsent';
      } finally {
        isBusy = false;
      }
    },
  };
}

/** Until a destination took the record, or part of it may be out, or there is no more time. */
async function sendRecord(
  line: Buffer,
  targets: readonly Target[],
  stopped: AbortSignal,
  clock: Clock,
): Promise<Delivery> {
  while (!stopped.aborted) {
    const result = await sendOnce(line, targets, clock);
    if (result !== 'unsent') return result;
    await clock.sleep(RETRY_MS, stopped);
  }
  return 'unsent';
}

async function sendOnce(line: Buffer, targets: readonly Target[], clock: Clock): Promise<Delivery> {
  const [only] = targets;
  if (targets.length === 1 && only !== undefined) return only.send(line);
  let best: Delivery = 'unsent';
  await new Promise<void>((resolve) => {
    const cancels: (() => void)[] = [];
    const all = targets.map(async (target) => {
      const result = await target.send(line);
      if (result === 'sent' || best === 'unsent') best = result;
      if (result === 'sent') cancels.push(clock.after(GRACE_MS, resolve));
    });
    void Promise.all(all).then(() => {
      for (const cancel of cancels) cancel();
      resolve();
    });
  });
  return best;
}

/** The records of a source; once `stopping` aborts, until none comes for a while. `stopped` then ends the source. */
async function* untilSilence(
  source: KernelLogSource,
  stopping: AbortSignal,
  stopped: AbortController,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const records = source(stopped.signal)[Symbol.asyncIterator]();
  let onStop = (): void => {};
  stopping.addEventListener('abort', () => onStop(), { once: true });
  try {
    while (!stopped.signal.aborted) {
      const next = records.next();
      const found = await new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
        next.then(resolve, reject);
        onStop = () => void clock.sleep(SILENCE_MS).then(() => resolve(undefined));
        if (stopping.aborted) onStop();
      });
      if (found === undefined) {
        stopped.abort();
        await next;
      } else if (found.done === true) {
        return;
      } else {
        yield found.value;
      }
    }
  } finally {
    await records.return?.();
  }
}
