import { BloomeryError } from '@bloomery/ports';

/** A webhook that could not be asked or did not answer as it must. The text is what kube-apiserver says where it has words. */
export function webhookFailure(text: string, cause?: unknown): BloomeryError {
  return new BloomeryError('BLM_API_WEBHOOK_FAILED', text, {
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The text that kube-apiserver gives for an answer that is no 2xx and carries no Status. */
export function refusedAnswerText(code: number, body: string): string {
  const said = body.trim().slice(0, 256);
  if (code >= 300 && code < 400) return `the server answered ${code} with a redirect, which webhooks may not`;
  switch (code) {
    case 401:
      return 'the server has asked for the client to provide credentials';
    case 403:
      return said === '' ? 'unknown' : said;
    case 404:
      return 'the server could not find the requested resource';
    case 405:
      return 'the server does not allow this method on the requested resource';
    case 409:
      return 'the server reported a conflict';
    case 415:
      return 'the server was unable to respond with a content type that the client supports';
    case 429:
      return 'the server has received too many requests and has asked us to try again later';
    case 503:
      return 'the server is currently unable to handle the request';
    case 504:
      return 'the server was unable to return a response in the time allotted, but may still be processing the request';
    default:
      return code >= 500
        ? `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`
        : 'the server rejected our request for an unknown reason';
  }
}

const TLS_UNTRUSTED: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

/** Why a connection failed, in the words of Go's network library where they are known. */
export function connectionFailureText(error: NodeJS.ErrnoException, host: string, port: number): string {
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { code = '' } = error;
  if (TLS_UNTRUSTED.has(code)) return x509('certificate signed by unknown authority');
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${at}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${at}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${at}: connect: network is unreachable`;
    case 'ETIMEDOUT':
      return `dial tcp ${at}: i/o timeout`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${host}: no such host`;
    case 'ECONNRESET':
    case 'EPIPE':
      return 'EOF';
    case 'CERT_HAS_EXPIRED':
    case 'CERT_NOT_YET_VALID':
      return x509('certificate has expired or is not yet valid');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return x509(`certificate is not valid for the name asked for: ${error.message}`);
    default:
      return error.message;
  }
}

function x509(why: string): string {
  return `tls: failed to verify certificate: x509: ${why}`;
}
