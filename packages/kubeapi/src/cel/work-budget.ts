/** Thrown when an evaluation may not go on. One object for all, so that running out costs nothing. */
export const OUT_OF_BUDGET = new Error('operation cancelled: actual cost limit exceeded');

/**
 * How much work evaluations may still do together. A unit is one step of a loop or some 16 characters that are looked at;
 * a million units take about a second.
 */
export class WorkBudget {
  #left: number;

  constructor(units: number) {
    this.#left = units;
  }

  get isSpent(): boolean {
    return this.#left < 0;
  }

  /** @throws OUT_OF_BUDGET once all units are spent, and ever after. */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw OUT_OF_BUDGET;
  }
}

// Evaluations are synchronous, so there is one at a time; functions of the libraries cannot be handed a budget.
let current: WorkBudget | undefined;

/** Run an evaluation whose library calls and loops are charged to a budget. */
export function withBudget<T>(budget: WorkBudget, evaluate: () => T): T {
  const outer = current;
  current = budget;
  try {
    return evaluate();
  } finally {
    current = outer;
  }
}

/** Charge the evaluation that runs. @throws OUT_OF_BUDGET */
export function spend(units: number): void {
  current?.spend(units);
}

/** Charge for looking at a text of this length once. @throws OUT_OF_BUDGET */
export function spendText(characters: number): void {
  current?.spend(1 + characters / 16);
}
