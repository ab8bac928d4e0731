const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
];

/** A duration for people: its largest unit, and the next one while the largest is below ten. `-` for nothing. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const at = UNITS.findIndex(([, size]) => seconds >= size);
  const [name, size] = UNITS[at] ?? ['s', 1];
  const count = Math.floor(seconds / size);
  const next = UNITS[at + 1];
  const rest = next === undefined ? 0 : Math.floor((seconds % size) / next[1]);
  return count >= 10 || next === undefined || rest === 0 ? `${count}${name}` : `${count}${name}${rest}${next[0]}`;
}

/** How long ago an RFC 3339 time is; `-` when there is none. */
export function ageText(time: string | undefined, nowMs: number): string {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? '-' : durationText(nowMs - at);
}

/** Milliseconds of `90s`, `2h`, `1h30m`, `3d`. undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d{1,9}[dhms])+$/.test(text)) return undefined;
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)([dhms])/g)) {
    totalMs += Number(count) * 1000 * (UNITS.find(([name]) => name === unit)?.[1] ?? 0);
  }
  return totalMs;
}
