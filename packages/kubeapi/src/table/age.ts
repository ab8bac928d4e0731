const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Shown for a time that is not known. */
const UNKNOWN_AGE = '<unknown>';

/**
 * The time since an instant, as `kubectl get` shows ages: `42s`, `3m12s`, `5d4h`, `2y10d`.
 *
 * @param time RFC 3339, or undefined when it is not known.
 * @param nowMs milliseconds since the epoch.
 */
export function ageText(time: string | undefined, nowMs: number): string {
  if (time === undefined || time === '') return UNKNOWN_AGE;
  const at = Date.parse(time);
  return Number.isNaN(at) ? '<invalid>' : durationText(Math.trunc((nowMs - at) / 1000));
}

/** A duration in whole seconds, with at most two units and fewer the longer it is. */
export function durationText(seconds: number): string {
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (seconds < 10 * MINUTE) return twoUnits(seconds, MINUTE, 'm', 1, 's');
  if (seconds < 3 * HOUR) return `${Math.trunc(seconds / MINUTE)}m`;
  if (seconds < 8 * HOUR) return twoUnits(seconds, HOUR, 'h', MINUTE, 'm');
  if (seconds < 2 * DAY) return `${Math.trunc(seconds / HOUR)}h`;
  if (seconds < 8 * DAY) return twoUnits(seconds, DAY, 'd', HOUR, 'h');
  if (seconds < 2 * YEAR) return `${Math.trunc(seconds / DAY)}d`;
  if (seconds < 8 * YEAR) return twoUnits(seconds, YEAR, 'y', DAY, 'd');
  return `${Math.trunc(seconds / YEAR)}y`;
}

function twoUnits(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.trunc((seconds % large) / small);
  const head = `${Math.trunc(seconds / large)}${largeName}`;
  return rest === 0 ? head : `${head}${rest}${smallName}`;
}
