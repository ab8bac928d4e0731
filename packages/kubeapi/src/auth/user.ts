/** Who makes a request. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
}

/** Members of this group may do everything. */
export const MASTERS = 'system:masters';

/** A caller without credentials. */
export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** The groups that authentication adds. */
export function authenticated(name: string, groups: readonly string[], uid?: string): User {
  const all = groups.includes('system:authenticated') ? groups : [...groups, 'system:authenticated'];
  return { name, groups: all, ...(uid === undefined ? {} : { uid }) };
}
