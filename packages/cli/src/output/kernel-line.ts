/** A kernel line as the manager gives it. Everything in it came from a machine: any field may be anything, or missing. */
export interface KernelLine {
  readonly time: string;
  readonly level: string;
  readonly message: string;
  /** Name of the Server. */
  readonly server: string | undefined;
}

const NO_TIME = '-';
const LEVEL_WIDTH = 5;
/** What moves the cursor, changes the writing direction or hides text. */
const CONTROL = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Read a line of JSON; undefined when it is none. */
export function readKernelLine(line: string): KernelLine | undefined {
  let fields: Readonly<Record<string, unknown>>;
  try {
    fields = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof fields !== 'object' || fields === null) return undefined;
  const { msg, server_uuid: server, priority } = fields;
  const time = fields['talos-time'];
  const level = fields['talos-level'] ?? priority;
  return {
    time: typeof time === 'string' ? milliseconds(time) : NO_TIME,
    level: typeof level === 'string' ? level : NO_TIME,
    message: typeof msg === 'string' ? msg.replace(/\n+$/, '') : line,
    server: typeof server === 'string' ? server : undefined,
  };
}

/** `time level message`, in front of it the machine where there are several. No control character of a machine gets through. */
export function kernelLineText({ time, level, message }: KernelLine, machine: string | undefined): string {
  const head = machine === undefined ? '' : `${plain(machine)}  `;
  return `${head}${plain(time)}  ${plain(level).padEnd(LEVEL_WIDTH)}  ${plain(message)}\n`;
}

/** Nanoseconds are more than people read. */
function milliseconds(time: string): string {
  const [, seconds, fraction = '', zone] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z)$/.exec(time) ?? [];
  return seconds === undefined ? time.slice(0, 40) : `${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}${zone}`;
}

function plain(text: string): string {
  return text.replace(CONTROL, (char) => {
    if (char === '\n') return '\\n';
    if (char === '\t') return ' ';
    const code = char.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
