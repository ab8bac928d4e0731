import { type Clock, createSeldom, type Logger } from '@bloomery/ports';
import type { TimelineDraft, TimelineRecorder } from '../insight/index.ts';

/** Marks of the boot services on the timeline. Repeats within 10 s are left out: ROMs ask everything several times. */
export interface BootMarks {
  /** @returns false when the same mark was set a moment ago. */
  mark(draft: Omit<TimelineDraft, 'source'>): boolean;
}

const REPEAT_MS = 10_000;
const REMEMBERED_MAX = 4_096;

/** Make BootMarks that write to `timeline` and to the log. Remembers at most 4096 marks. */
export function createBootMarks(timeline: TimelineRecorder, clock: Clock, log: Logger): BootMarks {
  const isDue = createSeldom(clock, REPEAT_MS, REMEMBERED_MAX);
  return {
    mark: (draft) => {
      const { server, mac, address } = draft.about;
      if (!isDue(`${mac ?? server ?? address ?? ''} ${draft.event} ${draft.summary}`)) return false;
      timeline.record({ ...draft, source: 'boot' });
      const { stage, event, summary, durationMs } = draft;
      const fields = {
        ...draft.about,
        stage,
        mark: event,
        summary,
        ...(durationMs === undefined ? {} : { durationMs }),
      };
      if (draft.severity === 'info') log.info('boot.progress', fields);
      else log.warn('boot.trouble', fields);
      return true;
    },
  };
}
