import { errorText, type Logger } from '@bloomery/ports';
import type { EventSender } from '@bloomery/siderolink';
import { commonProto, machineEventsProto } from '@bloomery/wire';
import type { SequenceLog } from './sequence-log.ts';

const {
  PhaseEventSchema,
  PhaseEvent_Action: PhaseAction,
  SequenceEventSchema,
  SequenceEvent_Action: SequenceAction,
  TaskEventSchema,
  TaskEvent_Action: TaskAction,
} = machineEventsProto;

/** Runs steps of a boot and tells about them as Talos does: sequences of phases of tasks. */
export interface BootSequences {
  /**
   * A sequence that fails ends with the error. One that ends with a reboot is told as Talos does it: broken off by its own
   * reboot.
   */
  sequence<T>(name: string, work: () => Promise<T>, end?: 'stop' | 'reboot'): Promise<T>;
  /** Its end is told after a failure too. */
  phase<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Its end is told after a failure too. */
  task<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** Sequences that are told to the plane and to the console, and kept for the Talos API. */
export function createBootSequences(
  events: Pick<EventSender, 'send'>,
  log: Logger,
  history: Pick<SequenceLog, 'note'>,
): BootSequences {
  const broken = (sequence: string, message: string): void => {
    const error = { code: commonProto.Code.FATAL, message };
    events.send(SequenceEventSchema, { sequence, action: SequenceAction.NOOP, error });
    history.note({ sequence, action: 'NOOP', error: message });
  };
  const told = (sequence: string, action: 'START' | 'STOP'): void => {
    events.send(SequenceEventSchema, { sequence, action: SequenceAction[action] });
    history.note({ sequence, action, error: undefined });
  };
  return {
    sequence: async (sequence, work, end = 'stop') => {
      log.info('sequence.started', { sequence });
      told(sequence, 'START');
      try {
        const result = await work();
        if (end === 'reboot') broken(sequence, 'sequence failed: unix.Reboot (Talos stand-in)');
        else told(sequence, 'STOP');
        return result;
      } catch (error) {
        log.error('sequence.failed', { sequence, error: errorText(error) });
        broken(sequence, `sequence failed: ${errorText(error)}`);
        throw error;
      }
    },
    phase: async (phase, work) => {
      log.info('phase.started', { phase });
      events.send(PhaseEventSchema, { phase, action: PhaseAction.START });
      try {
        return await work();
      } finally {
        events.send(PhaseEventSchema, { phase, action: PhaseAction.STOP });
      }
    },
    task: async (task, work) => {
      events.send(TaskEventSchema, { task, action: TaskAction.START });
      try {
        return await work();
      } finally {
        events.send(TaskEventSchema, { task, action: TaskAction.STOP });
      }
    },
  };
}
