import { withMeta } from '../api-object.ts';
import type { Wish } from './wish.ts';

const ADVICE =
  'API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests';

/**
 * The wish without owner references that are wholly there already, with a warning that tells of them. The first of each stays.
 *
 * @param afterAdmission the owners are those that webhooks left.
 */
export function withUniqueOwners(wish: Wish, afterAdmission = false): Wish {
  const owners = wish.given.metadata.ownerReferences ?? [];
  if (owners.length < 2) return wish;
  const seen = new Set<string>();
  const uids = new Set<string>();
  const ownerReferences = owners.filter((owner) => {
    const { apiVersion, kind, name, uid, controller = null, blockOwnerDeletion = null } = owner;
    const key = JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
    const isNew = !seen.has(key);
    if (!isNew) uids.add(uid);
    seen.add(key);
    return isNew;
  });
  if (uids.size === 0) return wish;
  const when = afterAdmission ? ' after mutating admission happens' : '';
  const found = `duplicate UID(s) observed: ${[...uids].join(', ')}`;
  const warning = `.metadata.ownerReferences contains duplicate entries${when}; ${ADVICE}; ${found}`;
  return { ...wish, given: withMeta(wish.given, { ownerReferences }), warnings: [warning, ...wish.warnings] };
}
