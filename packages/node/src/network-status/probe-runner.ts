import { type Clock, errorText, type Logger } from '@bloomery/ports';
import type { ProbeSpec, ProbeStatus } from '../resources/network-status.ts';
import type { AskEndpoint } from './ask-endpoint.ts';

/** A probe at work: it asks its endpoint once at its start and then at its interval, until it is stopped. */
export interface ProbeRunner {
  readonly spec: ProbeSpec;
  /** undefined: nothing is known yet. */
  readonly status: ProbeStatus | undefined;
  stop(): void;
}

export interface ProbeRunnerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly ask: AskEndpoint;
  /** Called when the status differs. */
  readonly changed: () => void;
}

/** A probe asks no more often than that, whatever its interval. */
const INTERVAL_MIN_MS = 100;

/** Start one. It fails once so many questions in a row (`failureThreshold`, at least one) had no answer. */
export function startProbe(id: string, spec: ProbeSpec, deps: ProbeRunnerDeps): ProbeRunner {
  const { clock, log, ask, changed } = deps;
  const ending = new AbortController();
  const timeoutMs = spec.http.endpoint === '' ? spec.tcp.timeout : spec.http.timeout;
  let failures = 0;
  let status: ProbeStatus | undefined;

  const tell = (next: ProbeStatus): void => {
    if (ending.signal.aborted || (status?.success === next.success && status.lastError === next.lastError)) return;
    if (status?.success !== next.success) log.info('probe.changed', { probe: id, ...next });
    status = next;
    changed();
  };

  const askOnce = async (): Promise<void> => {
    const limit = new AbortController();
    const end = (): void => limit.abort(ending.signal.reason);
    ending.signal.addEventListener('abort', end, { once: true });
    const cancel = clock.after(timeoutMs, () => limit.abort(new Error(`no answer in ${timeoutMs} ms`)));
    try {
      await ask(spec, limit.signal);
      failures = 0;
      tell({ success: true, lastError: '' });
    } catch (error) {
      failures++;
      if (failures >= spec.failureThreshold) tell({ success: false, lastError: errorText(error) });
    } finally {
      cancel();
      ending.signal.removeEventListener('abort', end);
    }
  };

  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const startMs = clock.nowMs();
      await askOnce();
      const nextMs = startMs + Math.max(spec.interval, INTERVAL_MIN_MS);
      await clock.sleep(Math.max(0, nextMs - clock.nowMs()), ending.signal);
    }
  };
  void run();

  return {
    spec,
    get status() {
      return status;
    },
    stop: () => ending.abort(new Error('the probe has ended')),
  };
}
