import { badRequest } from '../pipeline/api-status.ts';
import type { Attributes } from './authorize.ts';
import { ANONYMOUS, authenticated, type User } from './user.ts';

/** Groups a request may name at most. */
const MAX_GROUPS = 64;
const EXTRA_HEADER = 'impersonate-extra-';

/**
 * Who the request is to be answered for: the caller, or the user that its Impersonate headers name (`kubectl --as`).
 *
 * @param require throws when the caller may not; asked once for each user, group, uid and extra field that is named.
 * @throws BloomeryError BLM_API_BAD_REQUEST for groups, a uid or extra fields without a user, and for too many groups.
 */
export function effectiveUser(
  caller: User,
  headers: Readonly<Record<string, string | undefined>>,
  require: (attributes: Attributes) => void,
): User {
  const name = headers['impersonate-user'] ?? '';
  const groups = (headers['impersonate-group'] ?? '').split(',').flatMap((group) => group.trim() || []);
  const uid = headers['impersonate-uid'] ?? '';
  const extras = Object.entries(headers).filter(([header]) => header.startsWith(EXTRA_HEADER));
  if (name === '') {
    if (groups.length === 0 && uid === '' && extras.length === 0) return caller;
    throw badRequest('requested groups, uid or extra fields without impersonating a user');
  }
  if (groups.length > MAX_GROUPS) throw badRequest(`at most ${MAX_GROUPS} groups can be impersonated`);
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  require(
    account === null
      ? asking('', 'users', name)
      : { ...asking('', 'serviceaccounts', account[2] ?? ''), namespace: account[1] ?? '' },
  );
  for (const group of groups) require(asking('', 'groups', group));
  if (uid !== '') require(asking('authentication.k8s.io', 'uids', uid));
  for (const [header, value = ''] of extras) {
    const key = header.slice(EXTRA_HEADER.length);
    require({ ...asking('authentication.k8s.io', 'userextras', value), subresource: key });
  }
  if (name === ANONYMOUS.name) return ANONYMOUS;
  const own =
    account === null || groups.length > 0
      ? groups
      : ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`];
  return authenticated(name, own, uid === '' ? undefined : uid);
}

function asking(group: string, resource: string, name: string) {
  return { verb: 'impersonate', group, resource, subresource: '', namespace: '', name };
}
