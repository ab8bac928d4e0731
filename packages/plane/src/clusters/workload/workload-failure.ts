import { type BloomeryError, errorText, isBloomeryError } from '@bloomery/ports';
import { quoteError } from '../../insight/quote-error.ts';

const FOREIGN_AUTHORITY =
  'shows a certificate of another authority than the kubeconfig names: another cluster may answer there';
const REFUSED_CERTIFICATE = 'refused the client certificate of the kubeconfig';

/** What is said of `host:port`, by the code of Node's error. */
const SENTENCES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'shows a certificate that has expired',
  CERT_NOT_YET_VALID: 'shows a certificate that is not valid yet: check the clocks',
  CERT_SIGNATURE_FAILURE: FOREIGN_AUTHORITY,
  DEPTH_ZERO_SELF_SIGNED_CERT: FOREIGN_AUTHORITY,
  EAI_AGAIN: 'has a name that cannot be resolved at the moment',
  ECONNREFUSED: 'refuses connections: nothing listens there',
  ECONNRESET: 'closed the connection',
  EHOSTDOWN: 'cannot be reached: the host is down',
  EHOSTUNREACH: 'cannot be reached: no route to the host',
  ENETUNREACH: 'cannot be reached: no route to its network',
  ENOTFOUND: 'has a name that cannot be resolved',
  EPIPE: 'closed the connection',
  EPROTO: 'does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS',
  ERR_TLS_CERT_ALTNAME_INVALID: 'shows a certificate that is not for this address',
  ETIMEDOUT: 'did not answer in time',
  SELF_SIGNED_CERT_IN_CHAIN: FOREIGN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: FOREIGN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: FOREIGN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: FOREIGN_AUTHORITY,
};
const MAX_DEPTH = 5;

/** One sentence for people: why the Kubernetes API at `server` (an https URL) cannot be used. Without numbers that change. */
export function workloadFailureText(error: unknown, server: string): string {
  const where = URL.canParse(server) ? new URL(server).host : server;
  if (isBloomeryError(error, 'BLM_API_UNAUTHORIZED')) {
    return `${where} does not accept the credentials of the kubeconfig (401)`;
  }
  if (isBloomeryError(error, 'BLM_API_FORBIDDEN')) {
    return `${where} does not let the user of the kubeconfig list Nodes (403)`;
  }
  if (isBloomeryError(error) && isAnswer(error)) return `${where} answers with an error: ${quoteError(error.message)}`;
  for (const code of codesOf(error)) {
    const sentence = SENTENCES[code] ?? (code.includes('_ALERT_') ? REFUSED_CERTIFICATE : undefined);
    if (sentence !== undefined) return `${where} ${sentence}`;
  }
  const text = errorText(error);
  const silence = /no answer in \d+ s/.exec(text)?.[0];
  if (silence !== undefined) return `${where} gives ${silence}`;
  if (text.includes('socket hang up')) return `${where} closed the connection`;
  return `${where} cannot be used: ${quoteError(text)}`;
}

/** Whether the API itself said this, so that it lives. */
export function isAnswer(error: BloomeryError): boolean {
  return error.facts['status'] !== undefined;
}

function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  let at: unknown = error;
  for (let depth = 0; depth < MAX_DEPTH && at instanceof Error; depth++) {
    if (!isBloomeryError(at) && 'code' in at && typeof at.code === 'string') codes.push(at.code);
    at = at instanceof AggregateError ? at.errors[0] : at.cause;
  }
  return codes;
}
