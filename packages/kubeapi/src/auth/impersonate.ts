import { badRequest } from '../pipeline/api-status.ts';
import type { Attributes } from './authorize.ts';
import { ANONYMOUS, authenticated, type User } from './user.ts';

/** Groups, or values of extra fields, that a request may name at most. */
const MAX_NAMED = 64;
const EXTRA_HEADER = 'impersonate-extra-';

/** The headers of a request: joined by name, and as they came where somebody knows. */
export interface HeaderLines {
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Names and values in turn, one pair for each line. Absent: each header was one line. */
  readonly rawHeaders?: readonly string[] | undefined;
}

/**
 * Who the request is to be answered for: the caller, or the user that its Impersonate headers name (`kubectl --as`). Each line
 * of a header is one value: a comma is part of it.
 *
 * @param require throws when the caller may not; asked once for each user, group, uid and extra field that is named.
 * @returns the caller himself, or another user.
 * @throws BloomeryError BLM_API_BAD_REQUEST for groups, a uid or extra fields without a user, and for too many of them.
 */
export function effectiveUser(caller: User, lines: HeaderLines, require: (attributes: Attributes) => void): User {
  const asked = wishOf(lines);
  if (asked === undefined) return caller;
  const { name, uid, groups, extra } = asked;
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  require(
    account === null
      ? asking('', 'users', name)
      : { ...asking('', 'serviceaccounts', account[2] ?? ''), namespace: account[1] ?? '' },
  );
  for (const group of groups) require(asking('', 'groups', group));
  for (const [key, values] of extra) {
    for (const value of values) {
      require({ ...asking('authentication.k8s.io', 'userextras', value), subresource: key });
    }
  }
  if (uid !== '') require(asking('authentication.k8s.io', 'uids', uid));
  if (name === ANONYMOUS.name) return { ...ANONYMOUS, groups: [...new Set([...groups, ...ANONYMOUS.groups])] };
  const own =
    account === null || groups.length > 0
      ? groups
      : ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`];
  return authenticated(name, own, uid, Object.fromEntries(extra));
}

interface Wish {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

/** Undefined: the request is for the caller himself. */
function wishOf({ headers, rawHeaders }: HeaderLines): Wish | undefined {
  // Nearly every request ends here.
  if (!Object.keys(headers).some((header) => header.startsWith('impersonate-'))) return undefined;
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  for (const [header, value] of linesOf(headers, rawHeaders)) {
    if (header === 'impersonate-group') groups.push(value);
    if (!header.startsWith(EXTRA_HEADER)) continue;
    const key = extraKey(header.slice(EXTRA_HEADER.length));
    extra.set(key, [...(extra.get(key) ?? []), value]);
  }
  const name = headers['impersonate-user'] ?? '';
  const uid = headers['impersonate-uid'] ?? '';
  const named = groups.length + [...extra.values()].flat().length;
  if (named > MAX_NAMED) throw badRequest(`at most ${MAX_NAMED} groups and extra fields can be impersonated`);
  if (name !== '') return { name, uid, groups, extra };
  if (named === 0 && uid === '') return undefined;
  throw badRequest('requested groups, uid or extra fields without impersonating a user');
}

function linesOf(
  headers: HeaderLines['headers'],
  rawHeaders: HeaderLines['rawHeaders'],
): readonly (readonly [header: string, value: string])[] {
  if (rawHeaders === undefined) return Object.entries(headers).map(([header, value = '']) => [header, value]);
  const lines: (readonly [string, string])[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    lines.push([rawHeaders[i]?.toLowerCase() ?? '', rawHeaders[i + 1] ?? '']);
  }
  return lines;
}

/** Keys with a slash come percent-encoded, as a header's name must be. */
function extraKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function asking(group: string, resource: string, name: string) {
  return { verb: 'impersonate', group, resource, subresource: '', namespace: '', name };
}
