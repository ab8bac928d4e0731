import { isJsonObject, type JsonObject, timeText } from '@bloomery/model';
import type { ApiEngine } from '../api-engine.ts';
import type { ApiObject } from '../api-object.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import type { User } from '../auth/user.ts';
import { badRequest, methodNotAllowed, noSuchResource } from '../pipeline/api-status.ts';
import type { Resource } from '../registry/resource.ts';
import { answerAccessReview } from './access-reviews.ts';
import { jsonAnswer } from './answers.ts';
import type { ApiPath } from './api-path.ts';
import type { ApiAnswer, ApiRequest } from './api-request.ts';
import { reviewBodyOf } from './review-body.ts';

/** A question, and what its answer is found with. */
export interface ReviewCall {
  readonly engine: Pick<ApiEngine, 'authorizer' | 'clock'>;
  readonly authenticator: Authenticator;
  readonly request: ApiRequest;
  readonly path: ApiPath;
  readonly resource: Resource;
  /** Who is asked about where nobody is named. */
  readonly user: User;
}

/** Answer a review: its body with `status` filled in. Nothing is stored, dry run or not. @throws 400, 405, 413, 415, 422. */
export async function handleReview(call: ReviewCall): Promise<ApiAnswer> {
  const { request, path, resource } = call;
  if (path.name !== undefined || (resource.namespaced && path.namespace === undefined)) throw noSuchResource();
  if (request.method !== 'POST') throw methodNotAllowed();
  const { object, warnings } = await reviewBodyOf(request, path, resource);
  return jsonAnswer(201, answerOf(call, object), warnings);
}

function answerOf({ engine, authenticator, user }: ReviewCall, review: ApiObject): JsonObject {
  switch (review.kind) {
    case 'SelfSubjectReview': {
      const { apiVersion, kind } = review;
      const creationTimestamp = timeText(engine.clock.nowMs());
      return { apiVersion, kind, metadata: { creationTimestamp }, status: { userInfo: userInfo(user) } };
    }
    case 'TokenReview':
      return { ...review, status: tokenStatus(authenticator, isJsonObject(review['spec']) ? review['spec'] : {}) };
    default:
      return answerAccessReview(engine.authorizer, user, review);
  }
}

function tokenStatus(authenticator: Authenticator, spec: JsonObject): JsonObject {
  const { token, audiences } = spec;
  if (typeof token !== 'string' || token === '')
    throw badRequest('token is required for TokenReview in authentication');
  const verdict = authenticator.review(token, Array.isArray(audiences) ? audiences.map(String) : []);
  if (!verdict.ok) return { user: {}, error: verdict.error };
  return { authenticated: true, user: userInfo(verdict.user), audiences: [...verdict.audiences] };
}

/** A user as reviews and webhooks show it. */
export function userInfo({ name, uid, groups, extra }: User): JsonObject {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
  };
}
