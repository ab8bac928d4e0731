import { formatGoDuration, parseGoDuration } from '@bloomery/wire';
import type { Json } from '../../json.ts';

/** A time span as text in whole seconds, rounded down; undefined for none or one that cannot be read. */
export function secondsOf(span: Json | undefined): number | undefined {
  const nanoseconds = typeof span === 'string' ? parseGoDuration(span) : undefined;
  if (nanoseconds === undefined) return undefined;
  const seconds = Number(nanoseconds / 1_000_000_000n);
  return seconds < 0 || seconds > 0x7fffffff ? undefined : seconds;
}

/** Whole seconds as a time span; the text of before, where it says the same. */
export function spanOf(seconds: Json | undefined, before: Json | undefined): Json | undefined {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) {
    // What the newer version could not say was not taken away by an edit there.
    return before !== undefined && secondsOf(before) === undefined ? before : undefined;
  }
  return secondsOf(before) === seconds ? before : formatGoDuration(BigInt(Math.trunc(seconds)) * 1_000_000_000n);
}
