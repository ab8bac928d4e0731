/** A signal that comes sooner after the first is the same wish: `timeout` and terminals send it to the group as well. */
const SAME_WISH_S = 1;

/**
 * Aborts at SIGINT, SIGTERM and SIGHUP. With a SIGINT or SIGTERM more, later than a second, the process ends at once. A terminal that
 * goes away never does that: session managers send its SIGHUP right after SIGTERM, and what was changed is to be taken back.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let askedAtS = 0;
  const ask = (): void => {
    if (!stop.signal.aborted) askedAtS = process.uptime();
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stop.signal.aborted && process.uptime() - askedAtS > SAME_WISH_S) process.exit(130);
      ask();
    });
  }
  process.on('SIGHUP', ask);
  return stop.signal;
}
