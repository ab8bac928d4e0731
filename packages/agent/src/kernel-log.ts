import type { LogFields, Logger } from '@bloomery/ports';

const LEVELS = { debug: 7, info: 6, warn: 4, error: 3 } as const;
const MAX_LINE = 900;

/** A logger of `[sidero] event key=value …` lines for the kernel log. `write` gets one line at a time, with its level. */
export function createKernelLog(write: (line: string) => void, prefix = 'sidero', fixed: LogFields = {}): Logger {
  const at =
    (level: keyof typeof LEVELS) =>
    (event: string, fields: LogFields = {}): void => {
      const facts = Object.entries({ ...fixed, ...fields }).map(([name, value]) => ` ${name}=${shown(value)}`);
      write(`<${LEVELS[level]}>[${prefix}] ${event}${facts.join('')}`.slice(0, MAX_LINE));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => createKernelLog(write, prefix, { ...fixed, ...fields }),
  };
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : typeof value === 'bigint' ? value.toString() : JSON.stringify(value);
  return /^[\w./:@[\]-]*$/.test(text ?? '') ? (text ?? '') : JSON.stringify(text).replaceAll('\n', ' ');
}
