import { createGrpcClient } from '@bloomery/grpc';
import { type Clock, errorText, type Logger, type RandomBytes } from '@bloomery/ports';
import { type JoinedLink, joinLink, machineEventId, machineEventRequest, splitHostPort } from '@bloomery/siderolink';
import { eventsProto } from '@bloomery/wire';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';

/** Reports events over the link, in order and at least once, as Talos does. */
export interface EventReporter {
  report<D extends DescMessage>(schema: D, payload: MessageInitShape<D>): void;
  /** True when everything was delivered within this time. */
  drained(timeoutMs: number): Promise<boolean>;
}

export interface ReporterOptions {
  /** `siderolink.api`; without it nothing is ever delivered. */
  readonly linkApi: string | undefined;
  /** `[address]:port` on the link. */
  readonly eventSink: string | undefined;
  readonly uuid: string;
  readonly version: string;
}

export interface ReporterDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

const RETRY_MS = 5_000;
const PUBLISH_TIMEOUT_MS = 10_000;
/** After so many failures in a row the link is joined anew: the plane may have lost or changed it. */
const FAILURES_BEFORE_REJOIN = 2;
const MAX_WAITING = 1_000;

type EventRequest = MessageInitShape<typeof eventsProto.EventRequestSchema>;

/** Start joining the link and delivering. Failures are said on the console and tried again for ever. */
export function startEventReporter(options: ReporterOptions, deps: ReporterDeps): EventReporter {
  const waiting: EventRequest[] = [];
  void deliver(options, deps, waiting);
  return {
    report: (schema, payload) => {
      deps.log.info('event.queued', { type: schema.typeName });
      if (waiting.length < MAX_WAITING) {
        waiting.push(machineEventRequest(schema, payload, machineEventId(deps.clock.nowMs(), deps.random)));
      }
    },
    drained: async (timeoutMs) => {
      const until = deps.clock.nowMs() + timeoutMs;
      while (waiting.length > 0 && deps.clock.nowMs() < until) await deps.clock.sleep(100);
      return waiting.length === 0;
    },
  };
}

async function deliver(options: ReporterOptions, deps: ReporterDeps, waiting: EventRequest[]): Promise<never> {
  for (;;) {
    const link = await keepJoining(options, deps);
    await publishAll(link, options, deps, waiting);
    await link[Symbol.asyncDispose]();
  }
}

async function keepJoining(
  { linkApi, uuid, version }: ReporterOptions,
  { clock, log }: ReporterDeps,
): Promise<JoinedLink> {
  for (;;) {
    try {
      if (linkApi === undefined) throw new TypeError('neither kernel arguments nor configuration name siderolink.api');
      const options = { api: linkApi, uuid, talosVersion: version, mode: 'kernel', stateDir: '/run/link' } as const;
      const link = await joinLink(options, { clock, log });
      log.info('link.up', { address: link.nodeAddress, server: link.serverAddress });
      return link;
    } catch (error) {
      log.warn('link.down', { error: errorText(error), retryInSeconds: RETRY_MS / 1000 });
      await clock.sleep(RETRY_MS);
    }
  }
}

/** Returns when the link seems dead. */
async function publishAll(
  link: JoinedLink,
  { eventSink }: ReporterOptions,
  { clock, log }: ReporterDeps,
  waiting: EventRequest[],
): Promise<void> {
  const client = createGrpcClient({ address: splitHostPort(eventSink ?? `[${link.serverAddress}]:4002`), clock });
  const sink = client.service(eventsProto.EventSinkService);
  let failures = 0;
  while (failures < FAILURES_BEFORE_REJOIN) {
    const event = waiting[0];
    if (event === undefined) {
      await clock.sleep(200);
      continue;
    }
    try {
      await sink.publish(event, { timeoutMs: PUBLISH_TIMEOUT_MS });
      log.info('event.delivered', { type: event.data?.typeUrl ?? '', left: waiting.length - 1 });
      waiting.shift();
      failures = 0;
    } catch (error) {
      failures += 1;
      log.warn('event.failed', { error: errorText(error), failures });
      await clock.sleep(RETRY_MS);
    }
  }
  client.close();
}
