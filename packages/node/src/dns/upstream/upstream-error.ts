import { getSystemErrorMap } from 'node:util';
import { BloomeryError } from '@bloomery/ports';

/** A try at an upstream that failed. `reason` is short: `connection refused`, `timeout`. */
export function upstreamError(upstream: string, reason: string, cause?: unknown): BloomeryError {
  return new BloomeryError('BLM_DNS_UPSTREAM', `${upstream}: ${reason}`, {
    retryable: true,
    facts: { upstream, reason },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The same of a connection over TCP, which says nothing of the datagrams that most questions go by. */
export function overTcp(error: unknown): unknown {
  if (!(error instanceof BloomeryError)) return error;
  const facts = { ...error.facts, transport: 'tcp' };
  return new BloomeryError(error.code, error.message, { retryable: true, facts, cause: error.cause });
}

/** Whether it is of a connection over TCP beside datagrams. */
export function isOverTcp(error: unknown): boolean {
  return error instanceof BloomeryError && error.facts?.['transport'] === 'tcp';
}

/** What this host ran out of for a moment: it says nothing of the upstream. */
const OWN_TROUBLES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EADDRNOTAVAIL']);

/** Whether a try failed for want of descriptors, memory or ports of our own. */
export function isOwnTrouble(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && OWN_TROUBLES.has(String(cause.code));
}

/** The reason of an upstreamError, or what the system says of another error. */
export function upstreamReason(error: unknown): string {
  if (error instanceof BloomeryError) return String(error.facts?.['reason'] ?? error.message);
  if (!(error instanceof Error)) return String(error);
  const errno = 'errno' in error && typeof error.errno === 'number' ? error.errno : undefined;
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? error.message;
}
