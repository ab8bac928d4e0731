import { createHash } from 'node:crypto';

/** Longest name of a link in Linux. */
const NAME_MAX = 15;
/** A dot and up to four digits. */
const SUFFIX_MAX = 5;
const KEPT = 4;

/**
 * Name of a VLAN's link: `<parent>.<id>`. The parent is as written in the configuration; one that is too long is shortened to its
 * first four characters and six digits of its hash.
 */
export function vlanLinkName(parent: string, vlanId: number): string {
  if (parent.length + SUFFIX_MAX <= NAME_MAX) return `${parent}.${vlanId}`;
  const digits = NAME_MAX - KEPT - SUFFIX_MAX;
  const hash = createHash('sha256').update(parent).digest('hex');
  return `${parent.slice(0, KEPT)}${hash.slice(0, digits)}.${vlanId}`;
}
