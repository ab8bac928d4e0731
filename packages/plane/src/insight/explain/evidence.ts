import type { Finding } from '@bloomery/model';
import { quoteError } from '../quote-error.ts';
import type { TimelineEntry } from '../timeline.ts';
import type { ExplainedCondition } from './explain-input.ts';

/** Lines of evidence of one finding. */
export const EVIDENCE_MAX = 5;
/** Of one text: messages of waits count and name many things. */
export const TEXT_MAX = 1_000;

/** What a condition says, as evidence: one line of it. */
export function statementOf({
  type,
  reason = '',
  message = '',
  lastTransitionTime,
}: ExplainedCondition): Finding['evidence'][number] {
  return {
    ...(lastTransitionTime === undefined ? {} : { time: lastTransitionTime }),
    source: `condition ${type}`,
    text: message === '' ? reason : quoteError(message, TEXT_MAX),
  };
}

/** Since when a condition is as it is. */
export function sinceOf({
  lastTransitionTime,
}: Pick<ExplainedCondition, 'lastTransitionTime'>): Pick<Finding, 'since'> {
  return lastTransitionTime === undefined ? {} : { since: lastTransitionTime };
}

/** The newest marks of a timeline, newest first: one line of each. */
export function newestFirst(entries: readonly TimelineEntry[]): Finding['evidence'] {
  return entries
    .slice(-EVIDENCE_MAX)
    .reverse()
    .map(({ time, source, summary }) => ({ time, source, text: quoteError(summary, TEXT_MAX) }));
}
