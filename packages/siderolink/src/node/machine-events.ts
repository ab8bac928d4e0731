import type { Clock } from '@bloomery/ports';
import { machineEventsProto } from '@bloomery/wire';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { EventSender } from './node-options.ts';

const {
  AddressEventSchema,
  ConfigLoadErrorEventSchema,
  ConfigValidationErrorEventSchema,
  MachineStatusEventSchema,
  ServiceStateEventSchema,
} = machineEventsProto;

/** Stage of a machine's life, as events name it. */
export type MachineStage = keyof typeof machineEventsProto.MachineStatusEvent_MachineStage;
/** State of a service, as events name it. */
export type ServiceState = keyof typeof machineEventsProto.ServiceStateEvent_Action;

/** What a machine's daemon tells about itself; each gives the id of its event. */
export interface MachineReports {
  /** @param addresses Without prefix length, best first. */
  addresses(hostname: string, addresses: readonly string[]): string;
  /** @param unmet Conditions by name with the reason why they are not met; none: ready. */
  stage(stage: MachineStage, unmet?: Readonly<Record<string, string>>): string;
  /** @param isHealthy undefined: unknown. */
  service(service: string, state: ServiceState, message: string, isHealthy?: boolean): string;
  /** The configuration could not be read. */
  configNotLoaded(error: string): string;
  /** The configuration is not valid. */
  configNotValid(error: string): string;
}

/** The reports of a daemon over its link, in the order of the calls. */
export function machineReports(events: Pick<EventSender, 'send'>, clock: Clock): MachineReports {
  return {
    addresses: (hostname, addresses) => events.send(AddressEventSchema, { hostname, addresses: [...addresses] }),
    stage: (stage, unmet = {}) =>
      events.send(MachineStatusEventSchema, {
        stage: machineEventsProto.MachineStatusEvent_MachineStage[stage],
        status: {
          ready: Object.keys(unmet).length === 0,
          unmetConditions: Object.entries(unmet).map(([name, reason]) => ({ name, reason })),
        },
      }),
    service: (service, state, message, isHealthy) =>
      events.send(ServiceStateEventSchema, {
        service,
        action: machineEventsProto.ServiceStateEvent_Action[state],
        message,
        health: {
          unknown: isHealthy === undefined,
          healthy: isHealthy === true,
          lastMessage: message,
          lastChange: timestampFromMs(clock.nowMs()),
        },
      }),
    configNotLoaded: (error) => events.send(ConfigLoadErrorEventSchema, { error }),
    configNotValid: (error) => events.send(ConfigValidationErrorEventSchema, { error }),
  };
}
