import type { LogFields, Logger } from '@bloomery/ports';
import pino from 'pino';

/** JSON lines on stderr: `time` (RFC 3339), `level`, `event`, then the facts. Synchronous, so that nothing is lost on a crash. */
export function createJsonLog(level: 'debug' | 'info' | 'warn' | 'error'): Logger {
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    pino.destination({ fd: 2, sync: true }),
  );
  return wrap(root);
}

function wrap(log: pino.Logger): Logger {
  return {
    debug: (event: string, fields: LogFields = {}) => log.debug(fields, event),
    info: (event: string, fields: LogFields = {}) => log.info(fields, event),
    warn: (event: string, fields: LogFields = {}) => log.warn(fields, event),
    error: (event: string, fields: LogFields = {}) => log.error(fields, event),
    with: (fields: LogFields) => wrap(log.child(fields)),
  };
}
