import type { Command } from 'commander';

const outcomes = new WeakMap<Command, number>();

/** Say that a command did what it should and has more to tell than 0: differences, a part that was not done. */
export function setOutcome(program: Command, exitCode: number): void {
  outcomes.set(program, exitCode);
}

/** What the command of this run has told; 0 unless it did. */
export function outcomeOf(program: Command): number {
  return outcomes.get(program) ?? 0;
}
