import type { RandomBytes } from '@bloomery/ports';
import { type eventsProto, machineEventsProto } from '@bloomery/wire';
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';

const TYPE_PREFIX = 'type.googleapis.com/';

/** A message of the Any of an event, as a union by its short name. */
export type MachineEvent =
  | { readonly type: 'AddressEvent'; readonly value: MessageShape<typeof machineEventsProto.AddressEventSchema> }
  | { readonly type: 'SequenceEvent'; readonly value: MessageShape<typeof machineEventsProto.SequenceEventSchema> }
  | { readonly type: 'PhaseEvent'; readonly value: MessageShape<typeof machineEventsProto.PhaseEventSchema> }
  | { readonly type: 'TaskEvent'; readonly value: MessageShape<typeof machineEventsProto.TaskEventSchema> }
  | {
      readonly type: 'ServiceStateEvent';
      readonly value: MessageShape<typeof machineEventsProto.ServiceStateEventSchema>;
    }
  | {
      readonly type: 'ConfigLoadErrorEvent';
      readonly value: MessageShape<typeof machineEventsProto.ConfigLoadErrorEventSchema>;
    }
  | {
      readonly type: 'ConfigValidationErrorEvent';
      readonly value: MessageShape<typeof machineEventsProto.ConfigValidationErrorEventSchema>;
    };

type Decode = (bytes: Uint8Array) => MachineEvent;

const DECODERS: Readonly<Record<string, Decode>> = {
  'machine.AddressEvent': (b) => ({
    type: 'AddressEvent',
    value: fromBinary(machineEventsProto.AddressEventSchema, b),
  }),
  'machine.SequenceEvent': (b) => ({
    type: 'SequenceEvent',
    value: fromBinary(machineEventsProto.SequenceEventSchema, b),
  }),
  'machine.PhaseEvent': (b) => ({ type: 'PhaseEvent', value: fromBinary(machineEventsProto.PhaseEventSchema, b) }),
  'machine.TaskEvent': (b) => ({ type: 'TaskEvent', value: fromBinary(machineEventsProto.TaskEventSchema, b) }),
  'machine.ServiceStateEvent': (b) => ({
    type: 'ServiceStateEvent',
    value: fromBinary(machineEventsProto.ServiceStateEventSchema, b),
  }),
  'machine.ConfigLoadErrorEvent': (b) => ({
    type: 'ConfigLoadErrorEvent',
    value: fromBinary(machineEventsProto.ConfigLoadErrorEventSchema, b),
  }),
  'machine.ConfigValidationErrorEvent': (b) => ({
    type: 'ConfigValidationErrorEvent',
    value: fromBinary(machineEventsProto.ConfigValidationErrorEventSchema, b),
  }),
};

/**
 * The payload of an event. Only the full message name counts; any prefix before the last `/` is accepted.
 *
 * @returns undefined for message types that mean nothing to us.
 * @throws the decoder's error when the bytes are not such a message.
 */
export function decodeMachineEvent(data: {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}): MachineEvent | undefined {
  const name = data.typeUrl.slice(data.typeUrl.lastIndexOf('/') + 1);
  return Object.hasOwn(DECODERS, name) ? DECODERS[name]?.(data.value) : undefined;
}

/** The request that publishes one event. `id` as machineEventId makes it. */
export function machineEventRequest<D extends DescMessage>(
  schema: D,
  payload: MessageInitShape<D>,
  id: string,
): MessageInitShape<typeof eventsProto.EventRequestSchema> {
  const value = toBinary(schema, create(schema, payload));
  return { data: { typeUrl: `${TYPE_PREFIX}${schema.typeName}`, value }, id, actorId: '' };
}

const ID_ALPHABET = '0123456789abcdefghijklmnopqrstuv';

/** An event id: 4 bytes of time in seconds and 8 random ones in base32hex, 20 characters, sortable by time. */
export function machineEventId(nowMs: number, random: RandomBytes): string {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(Math.floor(nowMs / 1000) >>> 0);
  bytes.set(random(8), 4);
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from(
    { length: 20 },
    (_, i) => ID_ALPHABET[Number.parseInt(bits.slice(i * 5, i * 5 + 5).padEnd(5, '0'), 2)],
  ).join('');
}
