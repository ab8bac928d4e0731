import { isDeepStrictEqual } from 'node:util';
import { entryKey, entryLink, type JournalEntry, type LinkBefore, mergeAddress, mergeBefore } from './journal-entry.ts';
import type { JournalFile } from './journal-file.ts';
import type { KernelView } from './kernel.ts';
import { linkName } from './object-names.ts';

type Act = () => Promise<void>;

/** Writes down how changes are undone, before they are made. */
export interface JournalRecorder {
  /** By their keys, the oldest first. */
  readonly entries: Map<string, JournalEntry>;
  /** Write down how to undo it, then do it; what was refused needs no undoing. The first of several for one thing counts. */
  record(entry: JournalEntry, act: Act): Promise<void>;
  /** Take away: what was ours needs no undoing any more, what was not is put back one day. */
  takeAway(ours: JournalEntry, before: JournalEntry | undefined, act: Act): Promise<void>;
  /** Make a link, and its other end if it is one of a pair. */
  made(name: string, make: Act): Promise<void>;
  /** Whether the link was made here. */
  isOurs(index: number): boolean;
  /** Write down what a link was before its first change; more of it as more is changed. */
  changeLink(index: number, before: LinkBefore): Promise<void>;
  /** The link is gone, and all on it. */
  forgetLink(index: number): Promise<void>;
}

/** Begin with what the file holds. */
export function createJournalRecorder(view: KernelView, file: JournalFile): JournalRecorder {
  const entries = new Map(file.entries.flatMap((entry) => finished(view, entry)).map((one) => [entryKey(one), one]));
  const save = (): Promise<void> => file.save(() => [...entries.values()]);
  const record = async (entry: JournalEntry, act: Act): Promise<void> => {
    const key = entryKey(entry);
    if (entries.has(key)) return act();
    entries.set(key, entry);
    await save();
    try {
      await act();
    } catch (error) {
      entries.delete(key);
      await save();
      throw error;
    }
  };
  return {
    entries,
    record,
    takeAway: async (ours, before, act) => {
      const key = entryKey(ours);
      const old = entries.get(key);
      if (old?.do !== ours.do) {
        if (before === undefined) return act();
        if (old?.do !== 'putAddress' || before.do !== 'putAddress') return record(before, act);
        entries.set(key, mergeAddress(before, old));
        await save();
        return act();
      }
      await act();
      entries.delete(key);
      return save();
    },
    made: async (name, make) => {
      const intent = { do: 'makeLink', name, aboveIndex: Math.max(0, ...view.links.keys()) } as const;
      entries.set(entryKey(intent), intent);
      await save();
      try {
        await make();
        for (const entry of finished(view, intent)) entries.set(entryKey(entry), entry);
      } finally {
        entries.delete(entryKey(intent));
        await save();
      }
    },
    isOurs: (index) => entries.get(`link ${index}`)?.do === 'removeLink',
    changeLink: async (index, before) => {
      const key = `link ${index}`;
      const old = entries.get(key);
      if (old?.do === 'removeLink') return;
      const all = old?.do === 'restoreLink' ? mergeBefore(before, old.before) : before;
      if (old?.do === 'restoreLink' && isDeepStrictEqual(all, old.before)) return;
      entries.set(key, { do: 'restoreLink', index, name: linkName(view, index), before: all });
      await save();
    },
    forgetLink: async (index) => {
      for (const [key, entry] of entries) if (entryLink(entry) === index) entries.delete(key);
      await save();
    },
  };
}

/** The entries of what became of a link that was about to be made; others stay as they are. */
function finished(view: KernelView, entry: JournalEntry): readonly JournalEntry[] {
  if (entry.do !== 'makeLink') return [entry];
  // Those that others make at the same moment have other names.
  const own = view.linkByName(entry.name);
  const ends = [own, view.links.get(own?.linkIndex ?? 0)].filter((link) => link !== undefined);
  return ends.flatMap(({ index, name }) => (index > entry.aboveIndex ? [{ do: 'removeLink', index, name }] : []));
}
