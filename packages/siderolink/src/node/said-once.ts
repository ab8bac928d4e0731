import { errorText, type LogFields, type Logger } from '@bloomery/ports';

/** Says each cause of trouble once until things are well again. */
export interface SaidOnce {
  /** A warning the first time, at level debug when the same cause comes again. */
  trouble(error: unknown, fields?: LogFields): void;
  /** All is well: every cause may be said again. */
  well(): void;
}

/** Causes that are remembered; further ones are said each time. */
const CAUSES_MAX = 100;

/** @param event Name of the log lines. */
export function createSaidOnce(log: Logger, event: string): SaidOnce {
  const said = new Set<string>();
  return {
    trouble: (error, fields = {}) => {
      const text = errorText(error);
      const cause = text.replace(/\d+/g, '0');
      if (said.has(cause)) return log.debug(event, { ...fields, error: text });
      if (said.size < CAUSES_MAX) said.add(cause);
      log.warn(event, { ...fields, error: text });
    },
    well: () => said.clear(),
  };
}
