import { apiError, type ObjectCache, type StreamedResource, type StreamRequest } from '@bloomery/kube';
import { server } from '@bloomery/model';
import type { Clock } from '@bloomery/ports';
import { logQueryOf } from './log-query.ts';
import type { LogStore } from './log-store.ts';
import { streamLogs } from './stream-logs.ts';

/** Streams at a time, in all and of one user. */
export const MAX_LOG_STREAMS = { all: 100, user: 20 } as const;

/** What reading kernel logs through the API needs. */
export interface ServerLogsDeps {
  readonly store: Pick<LogStore, 'all' | 'machines' | 'onLines'>;
  /** Must hold Servers, ServerBindings and MetalMachines. */
  readonly cache: ObjectCache;
  readonly clock: Clock;
}

/**
 * The resource `serverlogs.insight.bloomery.dev`: kernel lines of a Server by its name, of machines of a namespace, or all.
 */
export function createServerLogs(deps: ServerLogsDeps): StreamedResource {
  const running = new Map<string, number>();
  let total = 0;

  async function* counted(request: StreamRequest): AsyncGenerator<Uint8Array> {
    const { user, signal } = request;
    total += 1;
    running.set(user, (running.get(user) ?? 0) + 1);
    try {
      yield* streamLogs(logQueryOf(request, deps.cache, deps.clock.nowMs()), { ...deps, signal });
    } finally {
      total -= 1;
      const left = (running.get(user) ?? 1) - 1;
      if (left > 0) running.set(user, left);
      else running.delete(user);
    }
  }

  return {
    group: 'insight.bloomery.dev',
    version: 'v1alpha1',
    plural: 'serverlogs',
    open(request) {
      if (total >= MAX_LOG_STREAMS.all || (running.get(request.user) ?? 0) >= MAX_LOG_STREAMS.user) throw tooMany();
      if (request.name !== undefined) checkName(request.name, deps);
      // Only for its refusals, which must come before the answer begins.
      logQueryOf(request, deps.cache, deps.clock.nowMs());
      return { contentType: 'application/x-ndjson', pieces: counted(request) };
    },
  };
}

/** The log of a Server may outlive it. */
function checkName(name: string, { cache, store }: ServerLogsDeps): void {
  if (cache.get(server, { name }) !== undefined || store.machines.has(name)) return;
  throw apiError({ code: 404, reason: 'NotFound', message: `serverlogs.insight.bloomery.dev "${name}" not found` });
}

function tooMany() {
  return apiError({
    code: 429,
    reason: 'TooManyRequests',
    message: `${MAX_LOG_STREAMS.user} kernel logs are read by one user at a time, ${MAX_LOG_STREAMS.all} in all; end one first`,
    details: { retryAfterSeconds: 10 },
  });
}
