import type { StreamedResource } from '@bloomery/kube';
import type { User } from '../auth/user.ts';
import { methodNotAllowed, noSuchResource } from '../pipeline/api-status.ts';
import type { ApiPath } from './api-path.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';

/** Answer a request for a streamed resource that its user may make. @throws 404, 405 and what the resource throws. */
export function streamAnswer(streamed: StreamedResource, request: ApiRequest, path: ApiPath, user: User): ApiAnswer {
  if (request.method !== 'GET') throw methodNotAllowed();
  if (path.watch || path.subresource !== undefined) throw noSuchResource();
  const { namespace, name } = path;
  const { query, signal } = request;
  const { contentType, pieces } = streamed.open({ namespace, name, query, user: user.name, signal });
  const headers = { 'content-type': contentType, 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  return { status: 200, headers, body: pieces };
}
