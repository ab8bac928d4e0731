import { BloomeryError, type ErrorCode } from '@bloomery/ports';

/** What the exit codes mean (spec/ux.md section 3.1). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  timedOut: 5,
  unreachable: 6,
  partly: 7,
  differences: 8,
  interrupted: 130,
} as const;

const BY_CODE: Partial<Record<ErrorCode, number>> = {
  BLM_API_BAD_REQUEST: EXIT.refused,
  BLM_API_CONFLICT: EXIT.refused,
  BLM_API_FORBIDDEN: EXIT.refused,
  BLM_API_INVALID: EXIT.refused,
  BLM_API_NOT_FOUND: EXIT.notFound,
  BLM_API_UNAUTHORIZED: EXIT.refused,
  BLM_API_UNAVAILABLE: EXIT.unreachable,
  BLM_BACKUP_INVALID: EXIT.refused,
  BLM_CLI_INTERRUPTED: EXIT.interrupted,
  BLM_CLI_NAME_UNKNOWN: EXIT.notFound,
  BLM_CLI_NO_MANAGER: EXIT.unreachable,
  BLM_CLI_PARTLY_DONE: EXIT.partly,
  BLM_CLI_REFUSED: EXIT.refused,
  BLM_CLI_USAGE: EXIT.usage,
  BLM_DNS_NO_ANSWER: EXIT.unreachable,
  BLM_KUBECONFIG_INVALID: EXIT.unreachable,
  BLM_RESTORE_REFUSED: EXIT.refused,
};

/** The exit code that an error ends the program with. */
export function exitCodeOf(error: unknown): number {
  return error instanceof BloomeryError ? (BY_CODE[error.code] ?? EXIT.failed) : EXIT.failed;
}

const TRY: Partial<Record<ErrorCode, string>> = {
  BLM_API_FORBIDDEN: 'kubectl auth can-i --list',
  BLM_API_NOT_FOUND: 'bloomery get servers',
  BLM_API_UNAUTHORIZED: 'bloomery get servers --kubeconfig DIR/kubeconfig',
  BLM_API_UNAVAILABLE: 'bloomery serve',
  BLM_CLI_NO_MANAGER: 'bloomery serve',
  BLM_CLI_USAGE: 'bloomery --help',
  BLM_KUBECONFIG_INVALID: 'bloomery get servers --kubeconfig FILE',
};

/** A command that may help; `facts.try` wins. */
export function hintOf(error: BloomeryError): string | undefined {
  const own = error.facts['try'];
  return typeof own === 'string' ? own : TRY[error.code];
}

/** An error of wrong usage, with the command to try. */
export function usageError(message: string, hint?: string): BloomeryError {
  return new BloomeryError('BLM_CLI_USAGE', message, hint === undefined ? {} : { facts: { try: hint } });
}
