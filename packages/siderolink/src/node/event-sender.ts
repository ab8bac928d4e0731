import { createGrpcClient, type GrpcClient } from '@bloomery/grpc';
import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import { eventsProto } from '@bloomery/wire';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { machineEventRequest } from '../machine-event.ts';
import { createEventIds } from './event-ids.ts';
import { splitHostPort } from './host-port.ts';
import type { EventSender } from './node-options.ts';
import { createRetryDelay, type RetryDelay } from './retry-delay.ts';
import { createSaidOnce, type SaidOnce } from './said-once.ts';

/** What sending events needs. */
export interface EventSenderDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  /** Whether there is a way to the sink now; `reconnect` tells when there is. Absent: always. */
  readonly isReachable?: () => boolean;
}

/** An event sender with what its owner does to it. Disposing it gives up what is left. */
export interface RunningEventSender extends EventSender, Disposable {
  /** The way to the sink is new or another one: connect again, at once. */
  reconnect(): void;
  /** Deliver what is left, and what comes, to another sink; undefined only keeps it. */
  redirect(sink: string | undefined): void;
}

const KEPT_MAX = 1_000;
const PUBLISH_TIMEOUT_MS = 20_000;
const RETRY = { firstMs: 500, maxMs: 30_000 };

type EventRequest = MessageInitShape<typeof eventsProto.EventRequestSchema>;

/**
 * Start delivering events to a sink, strictly one at a time and in order; the same event is tried again until the sink takes
 * it. All events of this process since its start are delivered, as far as they are kept.
 *
 * @param sink `[address]:port` on the link, never through a proxy; undefined only keeps the events.
 * @see spec/siderolink.md section 9
 */
export function startEventSender(sink: string | undefined, deps: EventSenderDeps): RunningEventSender {
  const nextId = createEventIds(deps.clock, deps.random);
  const state: State = {
    sink,
    waiting: [],
    said: createSaidOnce(deps.log, 'link.event_failed'),
    delay: createRetryDelay(RETRY, deps.random),
    wake: new AbortController(),
    isStopped: false,
    client: undefined,
  };
  const wake = (): void => state.wake.abort();
  void deliver(state, deps);
  const reconnect = (): void => {
    state.client?.close();
    state.client = undefined;
    state.delay.reset();
    wake();
  };
  return {
    reconnect,
    redirect: (next) => {
      if (next === state.sink) return;
      state.sink = next;
      reconnect();
    },
    send: (schema, payload) => {
      const id = nextId();
      if (state.waiting.push(machineEventRequest(schema, payload, id)) > KEPT_MAX) {
        state.waiting.shift();
        if (state.sink !== undefined) deps.log.warn('link.event_dropped', { kept: KEPT_MAX });
      }
      if (state.waiting.length === 1) wake();
      return id;
    },
    drained: async (timeoutMs) => {
      const untilMs = deps.clock.nowMs() + timeoutMs;
      while (state.waiting.length > 0 && deps.clock.nowMs() < untilMs) await deps.clock.sleep(DRAIN_POLL_MS);
      return state.waiting.length === 0;
    },
    get backlog() {
      return state.waiting.length;
    },
    [Symbol.dispose]: () => {
      state.isStopped = true;
      state.client?.close();
      wake();
    },
  };
}

const DRAIN_POLL_MS = 50;

interface State {
  sink: string | undefined;
  readonly waiting: EventRequest[];
  readonly said: SaidOnce;
  readonly delay: RetryDelay;
  /** Aborting it ends the present wait. */
  wake: AbortController;
  isStopped: boolean;
  client: GrpcClient | undefined;
}

async function deliver(state: State, deps: EventSenderDeps): Promise<void> {
  const { clock, log, isReachable = () => true } = deps;
  while (!state.isStopped) {
    state.wake = new AbortController();
    const event = state.waiting[0];
    const { sink } = state;
    if (sink === undefined || event === undefined || !isReachable()) {
      await aborted(state.wake.signal);
      continue;
    }
    try {
      state.client ??= createGrpcClient({ address: splitHostPort(sink), clock });
      await state.client.service(eventsProto.EventSinkService).publish(event, { timeoutMs: PUBLISH_TIMEOUT_MS });
      if (state.waiting[0] === event) state.waiting.shift();
      state.said.well();
      state.delay.reset();
      log.debug('link.event_delivered', { type: event.data?.typeUrl, left: state.waiting.length });
    } catch (error) {
      if (state.isStopped) return;
      if (state.wake.signal.aborted) continue;
      const retryMs = state.delay.next();
      state.said.trouble(error, { sink, backlog: state.waiting.length, retryMs });
      await clock.sleep(retryMs, state.wake.signal);
    }
  }
}

/** Without a timer: waiting for something to say must not keep a process alive. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
