import { STAGES, type Stage } from './machine-stages.ts';
import { textTable } from './text-table.ts';

/** When each machine reached each stage, in milliseconds since the Unix epoch. */
export interface JourneyLog {
  /** The power button was pressed. */
  poweredOn(machine: string, atMs: number): void;
  /** Notes stages; returns those that are new for this machine, in order. */
  note(machine: string, stages: ReadonlySet<Stage>, atMs: number): readonly Stage[];
  has(machine: string, stage: Stage): boolean;
  /** Seconds since the power button, or undefined when the stage was not reached. */
  secondsAt(machine: string, stage: Stage): number | undefined;
  /** One row per stage, one column per machine: seconds since power-on, and since the stage before in brackets. */
  table(machines: readonly string[]): string;
}

/** An empty log. A stage once reached stays, also when the state behind it passes (a clean machine that is allocated). */
export function createJourneyLog(): JourneyLog {
  const started = new Map<string, number>();
  const reached = new Map<string, Map<Stage, number>>();
  const secondsAt = (machine: string, stage: Stage): number | undefined => {
    const at = reached.get(machine)?.get(stage);
    return at === undefined ? undefined : (at - (started.get(machine) ?? at)) / 1000;
  };
  const cell = (machine: string, index: number): string => {
    const stage = STAGES[index];
    const at = stage === undefined ? undefined : secondsAt(machine, stage);
    if (at === undefined) return '-';
    const before = STAGES.slice(0, index).map((earlier) => secondsAt(machine, earlier) ?? 0);
    return `${at.toFixed(1)} s (+${Math.max(0, at - Math.max(0, ...before)).toFixed(1)})`;
  };
  return {
    secondsAt,
    poweredOn: (machine, atMs) => {
      started.set(machine, atMs);
      reached.set(machine, new Map());
    },
    note: (machine, stages, atMs) => {
      const times = reached.get(machine);
      const fresh = STAGES.filter((stage) => stages.has(stage) && times?.has(stage) === false);
      for (const stage of fresh) times?.set(stage, atMs);
      return fresh;
    },
    has: (machine, stage) => reached.get(machine)?.has(stage) ?? false,
    table: (machines) => {
      const rows = [
        ['stage', ...machines],
        ...STAGES.map((stage, index) => [stage, ...machines.map((m) => cell(m, index))]),
      ];
      return textTable(rows).join('\n');
    },
  };
}
