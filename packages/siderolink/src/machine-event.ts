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
const PACKAGE = 'machine.';

/** The message types of an event that mean something, by their short names. */
const SCHEMAS = {
  AddressEvent: machineEventsProto.AddressEventSchema,
  SequenceEvent: machineEventsProto.SequenceEventSchema,
  PhaseEvent: machineEventsProto.PhaseEventSchema,
  TaskEvent: machineEventsProto.TaskEventSchema,
  ServiceStateEvent: machineEventsProto.ServiceStateEventSchema,
  ConfigLoadErrorEvent: machineEventsProto.ConfigLoadErrorEventSchema,
  ConfigValidationErrorEvent: machineEventsProto.ConfigValidationErrorEventSchema,
  MachineStatusEvent: machineEventsProto.MachineStatusEventSchema,
  RestartEvent: machineEventsProto.RestartEventSchema,
} as const;

/** Short name of a message type that means something to us. */
export type MachineEventType = keyof typeof SCHEMAS;

/** Every short name there is: the bounded set of a metric's label. */
export const MACHINE_EVENT_TYPES: readonly MachineEventType[] = Object.keys(SCHEMAS).filter(isMachineEventType);

/** The message of one type. */
export type MachineEventValue<T extends MachineEventType> = MessageShape<(typeof SCHEMAS)[T]>;

/** A message of the Any of an event, as a union by its short name. */
export type MachineEvent = {
  readonly [T in MachineEventType]: { readonly type: T; readonly value: MachineEventValue<T> };
}[MachineEventType];

type Decoders = { readonly [T in MachineEventType]: (bytes: Uint8Array) => MachineEvent & { readonly type: T } };

const DECODERS: Decoders = {
  AddressEvent: (b) => ({ type: 'AddressEvent', value: fromBinary(SCHEMAS.AddressEvent, b) }),
  SequenceEvent: (b) => ({ type: 'SequenceEvent', value: fromBinary(SCHEMAS.SequenceEvent, b) }),
  PhaseEvent: (b) => ({ type: 'PhaseEvent', value: fromBinary(SCHEMAS.PhaseEvent, b) }),
  TaskEvent: (b) => ({ type: 'TaskEvent', value: fromBinary(SCHEMAS.TaskEvent, b) }),
  ServiceStateEvent: (b) => ({ type: 'ServiceStateEvent', value: fromBinary(SCHEMAS.ServiceStateEvent, b) }),
  ConfigLoadErrorEvent: (b) => ({ type: 'ConfigLoadErrorEvent', value: fromBinary(SCHEMAS.ConfigLoadErrorEvent, b) }),
  ConfigValidationErrorEvent: (b) => ({
    type: 'ConfigValidationErrorEvent',
    value: fromBinary(SCHEMAS.ConfigValidationErrorEvent, b),
  }),
  MachineStatusEvent: (b) => ({ type: 'MachineStatusEvent', value: fromBinary(SCHEMAS.MachineStatusEvent, b) }),
  RestartEvent: (b) => ({ type: 'RestartEvent', value: fromBinary(SCHEMAS.RestartEvent, b) }),
};

function isMachineEventType(name: string): name is MachineEventType {
  return Object.hasOwn(SCHEMAS, name);
}

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
  const fullName = data.typeUrl.slice(data.typeUrl.lastIndexOf('/') + 1);
  if (!fullName.startsWith(PACKAGE)) return undefined;
  const name = fullName.slice(PACKAGE.length);
  return isMachineEventType(name) ? DECODERS[name](data.value) : undefined;
}

/** The request that publishes one event. `id` as createEventIds makes it. */
export function machineEventRequest<D extends DescMessage>(
  schema: D,
  payload: MessageInitShape<D>,
  id: string,
): MessageInitShape<typeof eventsProto.EventRequestSchema> {
  const value = toBinary(schema, create(schema, payload));
  return { data: { typeUrl: `${TYPE_PREFIX}${schema.typeName}`, value }, id, actorId: '' };
}
