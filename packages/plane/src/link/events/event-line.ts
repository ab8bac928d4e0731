import type { MachineEvent } from '@bloomery/siderolink';
import { machineEventsProto as proto } from '@bloomery/wire';
import type { LinkAnnotation } from '../annotations.ts';
import { stageName, unmetText } from './machine-stage.ts';

/** An event, and where and when it came. */
export interface EventLineInput {
  readonly event: MachineEvent;
  readonly id: string;
  /** Full type URL, as it was sent. */
  readonly typeUrl: string;
  /** `[ip]:port` of the sender. */
  readonly node: string;
  readonly annotation: LinkAnnotation | undefined;
  readonly nowMs: number;
}

/** Texts of machines are cut to so many UTF-16 units, so that no line exceeds 1 MiB. */
const TEXT_MAX = 65_536;
const NAME_MAX = 1_024;

/**
 * The line of an event in the log of events: one JSON object, fields and their order as upstream's log has them. Times are Unix
 * seconds. Errors are quoted as they are: who may read this log may read machine configurations.
 */
export function eventLine({ event, id, typeUrl, node, annotation, nowMs }: EventLineInput): string {
  const { message = 'incoming event', error, ...fields } = fieldsOf(event);
  return JSON.stringify({
    level: error === undefined ? 'info' : 'error',
    ts: nowMs / 1000,
    caller: 'events/event-sink.ts',
    msg: message,
    component: 'sink',
    node,
    id: name(id),
    type: name(typeUrl),
    ...annotated(annotation),
    ...fields,
    ...(error === undefined ? {} : { error: text(error) }),
  });
}

/** In the order of the documented lines; what is not known is absent. */
function annotated(annotation: LinkAnnotation | undefined): Partial<LinkAnnotation> {
  if (annotation === undefined) return {};
  const { server_uuid, cluster, namespace, metal_machine, machine } = annotation;
  return {
    server_uuid,
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(metal_machine === undefined ? {} : { metal_machine }),
    ...(machine === undefined ? {} : { machine }),
  };
}

interface EventFields {
  readonly message?: string;
  readonly error?: string;
  readonly [field: string]: string | boolean | undefined;
}

function fieldsOf({ type, value }: MachineEvent): EventFields {
  switch (type) {
    case 'AddressEvent':
      return { hostname: name(value.hostname), addresses: text(value.addresses.slice(0, NAME_MAX).join(',')) };
    case 'ConfigLoadErrorEvent':
    case 'ConfigValidationErrorEvent':
      return { error: value.error };
    case 'PhaseEvent':
      return { phase: name(value.phase), action: enumName(proto.PhaseEvent_Action, value.action) };
    case 'TaskEvent':
      return { task: name(value.task), action: enumName(proto.TaskEvent_Action, value.action) };
    case 'ServiceStateEvent': {
      const action = enumName(proto.ServiceStateEvent_Action, value.action);
      return { message: `service ${text(value.message)}`, service: name(value.service), action };
    }
    case 'SequenceEvent': {
      const action = enumName(proto.SequenceEvent_Action, value.action);
      const error = value.error === undefined ? {} : { error: value.error.message };
      return { sequence: name(value.sequence), action, ...error };
    }
    case 'MachineStatusEvent': {
      const { ready = false, unmetConditions = [] } = value.status ?? {};
      const unmet = unmetConditions.length === 0 ? {} : { unmet_conditions: text(unmetText(unmetConditions)) };
      return { stage: stageName(value.stage), ready, ...unmet };
    }
    case 'RestartEvent':
      return { cmd: value.cmd.toString() };
  }
}

/** The name of a number; the number itself where it has none. */
function enumName(values: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(values).find(([, number]) => number === value)?.[0] ?? String(value);
}

function name(value: string): string {
  return value.slice(0, NAME_MAX);
}

function text(value: string): string {
  return value.slice(0, TEXT_MAX);
}
