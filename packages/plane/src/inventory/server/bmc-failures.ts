import type { Server } from '@bloomery/model';
import type { Clock } from '@bloomery/ports';

/** What a BMC did not do, and when it is asked again. */
export interface BmcFailure {
  readonly message: string;
  readonly retryMs: number;
}

/**
 * Which BMCs failed, and for how long they are not told anything: 20 s, doubled with every failure up to 5 min. Without it the
 * record of a failure would wake the controller, which would try again at once, for ever. Forgotten with the process.
 */
export interface BmcFailures {
  /** The failure after which it is not yet time to try again. None once somebody changed the Server's spec. */
  held(server: Server): BmcFailure | undefined;
  add(server: Server, message: string): BmcFailure;
  forget(name: string): void;
}

interface Entry {
  readonly message: string;
  readonly count: number;
  readonly atMs: number;
  readonly generation: number | undefined;
}

const FIRST_MS = 20_000;
const MAX_MS = 300_000;

/** Remember failures by the Server's name: as many as there are Servers. */
export function createBmcFailures(clock: Clock): BmcFailures {
  const entries = new Map<string, Entry>();
  const left = ({ message, count, atMs }: Entry): BmcFailure => ({
    message,
    retryMs: atMs + Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(10, count - 1)) - clock.nowMs(),
  });
  return {
    held({ metadata }) {
      const entry = entries.get(metadata.name);
      if (entry === undefined || entry.generation !== metadata.generation) return undefined;
      const failure = left(entry);
      return failure.retryMs > 0 ? failure : undefined;
    },
    add({ metadata }, message) {
      const count = (entries.get(metadata.name)?.count ?? 0) + 1;
      const entry = { message, count, atMs: clock.nowMs(), generation: metadata.generation };
      entries.set(metadata.name, entry);
      return left(entry);
    },
    forget: (name) => void entries.delete(name),
  };
}
