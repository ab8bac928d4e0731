import { createState, startRuntime } from '@bloomery/cosi';
import { type NodeEnvironment, type NodeLogs, SERVED_DEFINITIONS, startNodeApi } from '@bloomery/node';
import { type Clock, hostPort, type Listen } from '@bloomery/ports';
import { composeNode, type NodeParts, type NodePartsDeps } from './node-parts.ts';

/** A started daemon; disposing it ends its API, then its controllers. What they did in the kernel stays. */
export interface NodeDaemon extends AsyncDisposable {
  /** Where it answers now. */
  readonly endpoints: NodeEndpoints;
  /** Be told after they may have changed. Returns the function that ends it. */
  listen(listener: () => void): () => void;
}

/** As `host:port`; `dns` is null while no name server is wanted or none of its addresses can be bound. */
export interface NodeEndpoints {
  readonly api: string;
  readonly dns: string | null;
}

/** What a daemon is started with, beside its environment. */
export interface NodeDaemonDeps extends NodePartsDeps {
  readonly logs: NodeLogs;
  /** Aborted: nothing is waited for any more. */
  readonly signal: AbortSignal;
}

/** How long a start waits for the name server to be told where to listen; later it is told all the same. */
const DNS_MAX_MS = 10_000;

/** Start state, controllers and API. @throws BloomeryError BLM_SERVE_LISTEN and as startNodeApi */
export async function startDaemon(
  environment: NodeEnvironment,
  deps: NodeDaemonDeps,
  listen: Listen,
): Promise<NodeDaemon> {
  const { clock, log, random } = environment;
  await using stack = new AsyncDisposableStack();
  const state = createState({ clock, log });
  for (const definition of SERVED_DEFINITIONS) state.register(definition);
  const parts = stack.use(await composeNode(environment, deps));
  const runtime = stack.use(startRuntime({ state, clock, log, random }));
  runtime.start([...parts.inward, ...parts.outward]);
  const { store, logs, signal } = deps;
  const api = stack.use(await startNodeApi(listen, { environment, state, store, logs, signal }));
  runtime.start(api.controllers);
  await dnsSettled(parts, clock, signal);
  const owned = stack.move();
  return {
    get endpoints() {
      const udp = parts.dns.status.listeners.find(({ transport, bound }) => transport === 'udp' && bound !== undefined);
      return { api: hostPort(api.address), dns: udp?.bound === undefined ? null : hostPort(udp.bound) };
    },
    listen: (listener) => parts.dns.listen(listener),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A name server that cannot be set up must not keep the daemon from being ready, or from being stopped. */
async function dnsSettled(parts: Pick<NodeParts, 'dnsSettled'>, clock: Clock, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([parts.dnsSettled(), clock.sleep(DNS_MAX_MS, AbortSignal.any([signal, over.signal]))]);
  } finally {
    over.abort();
  }
}
