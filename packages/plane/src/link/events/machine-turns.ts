import { grpcError } from '@bloomery/grpc';
import { type Clock, rememberNewest } from '@bloomery/ports';
import { createKeyedLock } from '../keyed-lock.ts';
import { createMarkFolder, type MarkFolder } from './mark-folder.ts';
import { createSeenEvents, type SeenEvents } from './seen-events.ts';

/** What is remembered of one machine. */
export interface MachineMemory {
  readonly seen: SeenEvents;
  readonly marks: MarkFolder;
}

/** Takes the events of each machine one after another, those of different machines side by side. */
export interface MachineTurns {
  /**
   * Do this work when the work that was given before for the same machine has ended. Nothing is remembered of a machine that
   * 20,000 others came after.
   *
   * @throws RESOURCE_EXHAUSTED when 64 works of the machine wait, CANCELLED when the signal aborted before its turn came.
   */
  run<R>(machine: string, work: (memory: MachineMemory) => Promise<R>, signal: AbortSignal): Promise<R>;
}

const MACHINES_MAX = 20_000;
const WAITING_MAX = 64;
/** A machine that publishes more than a thousand a second for two seconds is slowed down to that. */
const INTERVAL_MS = 1;
const BURST_MS = 2_000;

interface Machine extends MachineMemory {
  /** When the events so far would be due at the allowed rate. */
  paidUntilMs: number;
}

/** Make the queues. An event that comes late cannot overtake or undo a newer one of its machine. */
export function createMachineTurns(clock: Clock): MachineTurns {
  const machines = new Map<string, Machine>();
  const lock = createKeyedLock(WAITING_MAX);
  const machineAt = (name: string): Machine => {
    const machine = machines.get(name) ?? newMachine();
    rememberNewest(machines, name, machine, MACHINES_MAX);
    return machine;
  };
  const pace = async (machine: Machine, signal: AbortSignal): Promise<void> => {
    const nowMs = clock.nowMs();
    machine.paidUntilMs = Math.max(nowMs, machine.paidUntilMs) + INTERVAL_MS;
    const tooFastMs = machine.paidUntilMs - nowMs - BURST_MS;
    if (tooFastMs > 0) await clock.sleep(tooFastMs, signal);
  };
  return {
    run(name, work, signal) {
      const machine = machineAt(name);
      const result = lock.run(name, async () => {
        if (!signal.aborted) await pace(machine, signal);
        if (signal.aborted) throw grpcError('CANCELLED', 'the caller has gone');
        return work(machine);
      });
      return (
        result ?? Promise.reject(grpcError('RESOURCE_EXHAUSTED', `${WAITING_MAX} events of this machine wait already`))
      );
    },
  };
}

function newMachine(): Machine {
  return {
    seen: createSeenEvents(),
    marks: createMarkFolder(),
    paidUntilMs: 0,
  };
}
