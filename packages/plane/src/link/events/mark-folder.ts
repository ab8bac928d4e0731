import { rememberNewest } from '@bloomery/ports';
import type { EventMark } from './event-mark.ts';

/** Lets through the marks of one machine that are news. */
export interface MarkFolder {
  /** @returns how many marks were folded since the last one that went through; undefined: this one is folded, too. */
  offer(mark: Pick<EventMark, 'topic' | 'summary' | 'isBeginning'>, nowMs: number): number | undefined;
}

/** The same said again after this time is worth a mark: it is still so. */
const REPEAT_MS = 600_000;
const WINDOW_MS = 600_000;
/** A boot with installation leaves about 60. */
const WINDOW_MAX = 200;
const TOPICS_MAX = 64;
/** The only topic that a new boot does not make new: what a machine is called and where it can be reached. */
const LASTING = 'addresses';

/**
 * Folds what is said again about the same topic, at once or within ten minutes, and whatever comes after 200 marks in ten minutes:
 * a service that flaps or a machine that is hostile does not fill the timeline. Holds at most 64 topics.
 */
export function createMarkFolder(): MarkFolder {
  const said = new Map<string, { readonly summary: string; readonly atMs: number }>();
  let windowStartMs = Number.NEGATIVE_INFINITY;
  let inWindow = 0;
  let folded = 0;
  const isNews = ({ topic, summary }: Pick<EventMark, 'topic' | 'summary'>, nowMs: number): boolean => {
    const last = said.get(topic);
    if (last?.summary === summary && (topic === LASTING || nowMs - last.atMs < REPEAT_MS)) return false;
    if (nowMs - windowStartMs >= WINDOW_MS) {
      windowStartMs = nowMs;
      inWindow = 0;
    }
    return ++inWindow <= WINDOW_MAX;
  };
  return {
    offer(mark, nowMs) {
      if (mark.isBeginning === true) for (const topic of said.keys()) if (topic !== LASTING) said.delete(topic);
      if (!isNews(mark, nowMs)) {
        folded += 1;
        return undefined;
      }
      rememberNewest(said, mark.topic, { summary: mark.summary, atMs: nowMs }, TOPICS_MAX);
      const before = folded;
      folded = 0;
      return before;
    },
  };
}
