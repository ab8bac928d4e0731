/** A record of /dev/kmsg. */
export interface KernelMessage {
  readonly facility: string;
  readonly priority: string;
  /** Microseconds since the kernel started. */
  readonly uptimeUs: number;
  readonly text: string;
}

const PRIORITIES = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
];
const RECORD = /^(\d{1,10}),\d{1,20},(\d{1,18}),[^;]{0,200};([^\n]*)/;

/**
 * Decode one record as a read of /dev/kmsg gives it. Its dictionary is left out.
 *
 * @returns undefined for anything else.
 * @see Documentation/ABI/testing/dev-kmsg of Linux
 */
export function parseKernelMessage(record: string): KernelMessage | undefined {
  const [, prefix, uptime, text] = RECORD.exec(record) ?? [];
  if (prefix === undefined || uptime === undefined || text === undefined) return undefined;
  const number = Number(prefix);
  const facility = Math.floor(number / 8);
  return {
    facility: FACILITIES[facility] ?? (facility >= 16 && facility < 24 ? `local${facility - 16}` : 'unknown'),
    priority: PRIORITIES[number % 8] ?? 'unknown',
    uptimeUs: Number(uptime),
    text: unescaped(text),
  };
}

/** Bytes that are no printable ASCII stand as `\x0a`. */
function unescaped(text: string): string {
  if (!text.includes('\\x')) return text;
  const bytes = text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** A line as `talosctl dmesg` shows it. @param bootMs when the kernel started, since the Unix epoch */
export function kernelMessageLine({ facility, priority, uptimeUs, text }: KernelMessage, bootMs: number): string {
  const micros = Math.round(bootMs) * 1_000 + uptimeUs;
  const fraction = String(Math.floor(micros % 1_000_000)).padStart(6, '0');
  const seconds = new Date(Math.floor(micros / 1_000_000) * 1_000).toISOString().slice(0, 19);
  return `${facility}: ${priority.padStart(7)}: [${seconds}.${fraction}Z]: ${text}\n`;
}
