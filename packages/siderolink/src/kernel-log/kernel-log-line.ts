import type { KernelLogRecord } from './kernel-log-record.ts';

const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];
const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const LEVELS = ['error', 'error', 'error', 'error', 'warn', 'info', 'info', 'debug'];
const NS_PER_US = 1_000n;
const NS_PER_S = 1_000_000_000n;
/** Seconds from the epoch that still have a four-digit year. */
const SECONDS_MAX = 253_402_300_799n;
const UNSAFE = /[<>&\u2028\u2029]/g;

/**
 * The JSON line that Talos sends for a record: keys sorted, ended by a newline.
 *
 * @param bootTimeNs Nanoseconds from the epoch to boot.
 * @see spec/siderolink.md section 8
 */
export function kernelLogLine(record: KernelLogRecord, bootTimeNs: bigint): string {
  const { clockUs, facility, message, priority, seq } = record;
  const text = JSON.stringify({
    clock: clockUs,
    facility: FACILITIES[facility] ?? String(facility),
    msg: message,
    priority: PRIORITIES[priority] ?? String(priority),
    seq,
    'talos-level': LEVELS[priority] ?? 'debug',
    'talos-time': formatNanoseconds(bootTimeNs + BigInt(clockUs) * NS_PER_US),
  });
  return `${text.replace(UNSAFE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** RFC 3339 in UTC with nanoseconds, trailing zeros trimmed. */
function formatNanoseconds(ns: bigint): string {
  const seconds = ns / NS_PER_S;
  if (ns < 0n || seconds > SECONDS_MAX) return formatNanoseconds(ns < 0n ? 0n : SECONDS_MAX * NS_PER_S);
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  const fraction = String(ns % NS_PER_S)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${whole}${fraction === '' ? '' : `.${fraction}`}Z`;
}
