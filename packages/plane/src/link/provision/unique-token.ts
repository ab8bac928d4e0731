import { createHash } from 'node:crypto';
import { isSameSecret } from '../tokens/join-token.ts';

/** Longest unique token that is looked at. */
const TEXT_MAX = 4_096;

/**
 * What is kept of the unique token that a machine presents: a hash. undefined for none: Talos sends an empty text then.
 * A token that is absurdly long counts as one that fits nowhere.
 */
export function uniqueTokenHash(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  const kept = text.length > TEXT_MAX ? `${text.length} ${text.slice(0, TEXT_MAX)}` : text;
  return `sha256:${createHash('sha256').update(kept).digest('hex')}`;
}

/**
 * Whether a machine is the one that owns the UUID: `first` when nobody does yet, `owner`, `other`, and `unsaid` for a machine
 * that presents nothing, which is let in and changes nothing. Pure.
 *
 * @param stored Hash of the owner's token.
 * @param given Hash of the machine's.
 */
export function judgeUniqueToken(
  stored: string | undefined,
  given: string | undefined,
): 'first' | 'owner' | 'other' | 'unsaid' {
  if (given === undefined) return 'unsaid';
  if (stored === undefined || stored === '') return 'first';
  return isSameSecret(stored, given) ? 'owner' : 'other';
}
