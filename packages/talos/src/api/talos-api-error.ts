import { grpcStatusOf } from '@bloomery/grpc';
import { BloomeryError, errorText, isBloomeryError } from '@bloomery/ports';

/** What was asked of whom, for messages. */
export interface AskedCall {
  /** `host:port` */
  readonly address: string;
  /** Name of the method. */
  readonly method: string;
}

/** Statuses that say nothing about what the machine did: apid answers so, too, while the rest of the machine is not there. */
const WITHOUT_ANSWER: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED']);

/** What Node's TLS says when it does not believe the server; alerts of a server that does not believe us are told by name. */
const NOT_BELIEVED: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const ALERT = /^ERR_SSL_.*ALERT_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/;
const MAX_CAUSES = 8;

/** The failure of a call as callers of the Talos API know it; errors with a code of their own stay as they are. */
export function talosApiError(error: unknown, call: AskedCall): BloomeryError {
  if (isBloomeryError(error) && error.code !== 'BLM_GRPC_STATUS') return error;
  const untrusted = distrust(error);
  if (untrusted !== undefined) {
    const message = `${call.method} on ${call.address}: TLS: ${untrusted}`;
    return new BloomeryError('BLM_TALOS_API_UNTRUSTED', message, { facts: { ...call }, cause: error });
  }
  // Anything that is no gRPC error is an answer that could not be read: what the machine did is as unknown as without one.
  const status = isBloomeryError(error) ? grpcStatusOf(error) : 'UNAVAILABLE';
  if (!WITHOUT_ANSWER.has(status)) return refused(call, status, errorText(error), error);
  const message = `${call.method} on ${call.address}: ${withoutPath(errorText(error))}`;
  return new BloomeryError('BLM_TALOS_API_UNREACHABLE', message, { retryable: true, facts: { ...call }, cause: error });
}

/** The machine said no. */
export function refused(call: AskedCall, status: string, text: string, cause?: unknown): BloomeryError {
  return new BloomeryError('BLM_TALOS_API_REFUSED', `${call.method} on ${call.address}: ${withoutPath(text)}`, {
    retryable: isBloomeryError(cause) && cause.retryable,
    facts: { ...call, status },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The text of the TLS failure that lies at the bottom of this error. */
function distrust(error: unknown): string | undefined {
  let at = error;
  for (let depth = 0; depth < MAX_CAUSES && at instanceof Error; depth += 1) {
    const code = 'code' in at ? String(at.code) : '';
    if (NOT_BELIEVED.has(code)) return at.message;
    if (ALERT.test(code)) return `the machine does not accept our certificate (${code})`;
    at = at.cause;
  }
  return undefined;
}

const withoutPath = (text: string): string => text.replace(/^\/[\w.]+\/\w+: /, '').slice(0, 1_000);
