import { type Clock, rememberNewest } from '@bloomery/ports';

/** Counts refusals per address, so that nobody can try tokens or UUIDs without end. Successful requests cost nothing. */
export interface RefusalLimit {
  /** Whether `address` has used up its refusals for now. */
  isExhausted(address: string): boolean;
  /** `address` was refused once more. */
  refused(address: string): void;
}

const BURST = 60;
const REFILL_MS = 1_000;
const ADDRESSES_MAX = 4_096;

/** 60 refusals at once, one more each second. Remembers at most 4096 addresses; the oldest is forgotten first. */
export function createRefusalLimit(clock: Clock): RefusalLimit {
  const spent = new Map<string, { readonly count: number; readonly atMs: number }>();
  const countOf = (address: string): number => {
    const entry = spent.get(address);
    if (entry === undefined) return 0;
    return Math.max(0, entry.count - Math.floor((clock.nowMs() - entry.atMs) / REFILL_MS));
  };
  return {
    isExhausted: (address) => countOf(address) >= BURST,
    refused: (address) => {
      const count = Math.min(BURST, countOf(address) + 1);
      rememberNewest(spent, address, { count, atMs: clock.nowMs() }, ADDRESSES_MAX);
    },
  };
}
