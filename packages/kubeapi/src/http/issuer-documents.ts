import type { JsonObject } from '@bloomery/model';
import type { ServiceAccountTokens } from '../auth/tokens/service-account-tokens.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';

const CONFIGURATION = '/.well-known/openid-configuration';
const KEYS = '/openid/v1/jwks';

/**
 * How others verify service account tokens without asking us: the documents of OpenID Connect Discovery 1.0. RBAC lets
 * service accounts read them.
 *
 * @param serverAddress `host:port` where this API is reached.
 * @returns undefined for any other path.
 */
export function issuerDocument(
  request: ApiRequest,
  accountTokens: ServiceAccountTokens,
  serverAddress: string,
): ApiAnswer | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  const path = request.path.replace(/\/$/, '');
  const answer = (type: string, document: JsonObject): ApiAnswer => ({
    status: 200,
    headers: { 'content-type': type, 'cache-control': 'public, max-age=3600' },
    body: JSON.stringify(document),
  });
  const keys = accountTokens.keySet();
  if (path === KEYS) return answer('application/jwk-set+json', keys);
  if (path !== CONFIGURATION) return undefined;
  return answer('application/json', {
    issuer: accountTokens.issuer,
    jwks_uri: `https://${serverAddress}${KEYS}`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [accountTokens.algorithm],
  });
}
