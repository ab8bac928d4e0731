import type { ApiObject } from '../api-object.ts';
import { type Change, keyOfId, type ObjectId } from './store.ts';

/** Kept at least; older changes are read from the log. Twice as many are kept at most. */
const MEMORY_CHANGES = 1000;

/** The youngest changes, in memory: what nearly every watch that resumes needs. */
export interface RecentChanges {
  /** All changes after this revision are here. */
  readonly from: number;
  /** Those after `rev` (from ≤ rev), oldest first. */
  after(rev: number): readonly Change[];
  /** What an object was at `from`: what its first change here began with, or, without one, what it is. */
  stateBefore(id: ObjectId, now: () => ApiObject | undefined): ApiObject | undefined;
  /** Add what was committed, oldest first. */
  add(changes: readonly Change[]): void;
}

/** Make the window, empty at a revision. */
export function createRecentChanges(revision: number): RecentChanges {
  let from = revision;
  let changes: Change[] = [];
  /** Made when it is asked for, forgotten when the window moves. */
  let first: ReadonlyMap<string, Change> | undefined;
  return {
    get from() {
      return from;
    },
    after(rev) {
      const index = changes.findIndex((change) => change.rev > rev);
      return index < 0 ? [] : changes.slice(index);
    },
    stateBefore(id, now) {
      first ??= new Map(changes.toReversed().map((change) => [keyOf(change.id), change]));
      const change = first.get(keyOf(id));
      return change === undefined ? now() : change.before;
    },
    add(added) {
      first = undefined;
      for (const change of added) changes.push(change);
      if (changes.length <= 2 * MEMORY_CHANGES) return;
      from = changes.at(-MEMORY_CHANGES - 1)?.rev ?? from;
      changes = changes.slice(-MEMORY_CHANGES);
    },
  };
}

function keyOf(id: ObjectId): string {
  return `${id.resource}\0${keyOfId(id)}`;
}
