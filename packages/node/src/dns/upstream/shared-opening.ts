import type { Clock } from '@bloomery/ports';

/** How long a connection may take to be opened. */
const OPEN_MS = 2_000;

/** Open something that many may wait for: in a time of its own, not in that of who asked first. Given up when `ended` aborts, too. */
export async function openShared<T>(
  { clock, ended }: { readonly clock: Clock; readonly ended: AbortSignal },
  open: (signal: AbortSignal) => Promise<T>,
  failed: (error: unknown, isLate: boolean) => Error,
): Promise<T> {
  const giveUp = new AbortController();
  const abort = (): void => giveUp.abort();
  if (ended.aborted) abort();
  const cancel = clock.after(OPEN_MS, abort);
  ended.addEventListener('abort', abort);
  try {
    return await open(giveUp.signal);
  } catch (error) {
    throw failed(error, giveUp.signal.aborted);
  } finally {
    cancel();
    ended.removeEventListener('abort', abort);
  }
}

/** What comes of it, or the error as soon as `signal` aborts. */
export function unlessAborted<T>(awaited: Promise<T>, signal: AbortSignal, error: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(error());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    awaited.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
