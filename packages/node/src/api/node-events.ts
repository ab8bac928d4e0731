import { grpcError } from '@bloomery/grpc';
import type { Clock, RandomBytes } from '@bloomery/ports';
import { machineEventsProto, type machineProto } from '@bloomery/wire';
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { createEventIds, isEventId } from './event-id.ts';
import { createJournal } from './journal.ts';

/** Something that has happened to the node, as `talosctl events` shows it. */
export interface NodeEvent {
  readonly id: string;
  readonly atMs: number;
  /** `talos/runtime/` and the full name of the message. */
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** Events of the node: the last ones, and those to come. */
export interface NodeEvents {
  publish<S extends DescMessage>(schema: S, message: MessageInitShape<S>): void;
  /**
   * The events that a request asks for, an empty one first so that the client knows that it is heard.
   *
   * @throws BloomeryError BLM_GRPC_STATUS INVALID_ARGUMENT for an id that is none, RESOURCE_EXHAUSTED with too many followers.
   */
  stream(request: EventsAsked, signal: AbortSignal): AsyncIterable<NodeEvent | undefined>;
}

type EventsAsked = Pick<machineProto.EventsRequest, 'tailEvents' | 'tailId' | 'tailSeconds' | 'withActorId'>;

const MAX_EVENTS = 500;

/** Nothing has happened yet. */
export function createNodeEvents(clock: Clock, random: RandomBytes): NodeEvents {
  const nextId = createEventIds(clock, random);
  const made = (typeName: string, value: Uint8Array): NodeEvent => ({
    id: nextId(),
    atMs: clock.nowMs(),
    typeUrl: `talos/runtime/${typeName}`,
    value,
  });
  const journal = createJournal<NodeEvent>({
    maxSize: MAX_EVENTS,
    sizeOf: () => 1,
    lost: (count) => {
      const { ConfigLoadErrorEventSchema: schema } = machineEventsProto;
      const error = `${count} events came faster than they were read`;
      return made(schema.typeName, toBinary(schema, create(schema, { error })));
    },
  });
  return {
    publish: (schema, message) => journal.append(made(schema.typeName, toBinary(schema, create(schema, message)))),
    stream: async function* (request, signal) {
      yield undefined;
      const events = journal.follow(pastOf(journal.items, request, clock.nowMs()), signal);
      if (events === undefined) throw grpcError('RESOURCE_EXHAUSTED', 'too many clients follow the events');
      // Nothing here has an actor: who asks for one is heard, and gets nothing.
      for await (const event of events) if (request.withActorId === '') yield event;
    },
  };
}

function pastOf(events: readonly NodeEvent[], request: EventsAsked, nowMs: number): readonly NodeEvent[] {
  const { tailEvents, tailId, tailSeconds } = request;
  if (tailId !== '' && !isEventId(tailId)) throw grpcError('INVALID_ARGUMENT', 'error parsing tail_id: invalid ID');
  if (tailId !== '') return events.filter(({ id }) => id > tailId);
  if (tailSeconds > 0) return events.filter(({ atMs }) => atMs >= nowMs - tailSeconds * 1_000);
  if (tailEvents < 0) return events;
  return tailEvents === 0 ? [] : events.slice(-tailEvents);
}
