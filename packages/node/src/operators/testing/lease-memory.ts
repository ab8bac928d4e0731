import type { LeaseMemory, StoredLease } from '../lease-store.ts';

/** What a client of a test remembers. */
export interface TestLeaseMemory extends LeaseMemory {
  /** undefined: nothing. */
  readonly stored: StoredLease | undefined;
}

/** One in memory. @param stored What an earlier run has left. */
export function createLeaseMemory(stored?: StoredLease): TestLeaseMemory {
  let now = stored;
  return {
    get stored() {
      return now;
    },
    load: () => now,
    save: (lease) => {
      now = lease;
    },
    forget: () => {
      now = undefined;
    },
  };
}
