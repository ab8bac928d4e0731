/** Who makes a request. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  /** What the credential says beyond that, as lists by lower-case key; reviews and webhooks see it. */
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Members of this group may do everything. */
export const MASTERS = 'system:masters';
const SIGNED_IN = 'system:authenticated';
const NOT_SIGNED_IN = 'system:unauthenticated';

/** A caller without credentials. */
export const ANONYMOUS: User = { name: 'system:anonymous', groups: [NOT_SIGNED_IN] };

/** The groups that authentication adds: `system:authenticated`, unless the user is said to be unauthenticated. */
export function authenticated(
  name: string,
  groups: readonly string[],
  uid?: string,
  extra: NonNullable<User['extra']> = {},
): User {
  const isMarked = groups.includes(SIGNED_IN) || groups.includes(NOT_SIGNED_IN);
  return {
    name,
    groups: isMarked ? groups : [...groups, SIGNED_IN],
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
