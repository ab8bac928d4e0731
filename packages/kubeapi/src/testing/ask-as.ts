import type { Json, JsonObject } from '@bloomery/model';
import type { User } from '../auth/user.ts';
import type { TestApi } from './test-api.ts';

/** Calls of an API with JSON bodies, as a user. Undefined: a caller with wrong credentials. */
export type AskAs = (
  user: User | undefined,
  method: string,
  path: string,
  body?: Json,
  contentType?: string,
) => Promise<{ readonly code: number; readonly body: JsonObject; readonly headers: Readonly<Record<string, unknown>> }>;

/** Make the caller of a test API. */
export function askAs(api: TestApi): AskAs {
  return async (user, method, path, body, contentType = 'application/json') => {
    const bytes = new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body));
    const headers = { 'content-type': contentType };
    const answer = await api.open({ method, path, headers, user, body: async () => bytes });
    return { code: answer.status, body: JSON.parse(String(answer.body)), headers: answer.headers };
  };
}
