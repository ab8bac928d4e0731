import { isDeepStrictEqual } from 'node:util';
import { isBloomeryError } from '@bloomery/ports';
import { entryKey, entryLink, type JournalEntry, type LinkBefore, mergeAddress, mergeBefore } from './journal-entry.ts';
import type { JournalFile } from './journal-file.ts';
import type { KernelView } from './kernel.ts';
import { refusalErrno } from './kernel-error.ts';
import { linkName } from './object-names.ts';
import { otherEnd } from './other-end.ts';

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

/** Begin with what the file holds and is still there. */
export function createJournalRecorder(view: KernelView, file: JournalFile): JournalRecorder {
  const { entries, save } = file;
  for (const [key, entry] of [...entries]) {
    if (entry.do === 'makeLink') {
      entries.delete(key);
      for (const made of linksMade(view, entry)) entries.set(entryKey(made), made);
    } else if (isGone(view, entry)) forget(entries, entryLink(entry));
  }
  const record = async (entry: JournalEntry, act: Act): Promise<void> => {
    const key = entryKey(entry);
    if (entries.has(key)) return act();
    entries.set(key, entry);
    await save(key);
    try {
      await act();
    } catch (error) {
      // It may have been done where the answer was lost; undoing what is not there is no problem.
      if (!isUnanswered(error)) {
        entries.delete(key);
        await save(key);
      }
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
        await save(key);
        return act();
      }
      await act();
      entries.delete(key);
      return save(key);
    },
    made: async (name, make) => {
      const intent = { do: 'makeLink', name, presentIndex: view.linkByName(name)?.index ?? 0 } as const;
      const key = entryKey(intent);
      entries.set(key, intent);
      await save(key);
      let isRefused = false;
      try {
        await make();
      } catch (error) {
        isRefused = refusalErrno(error) !== undefined;
        throw error;
      } finally {
        // It may be there also where the answer was lost. What is there though it was refused is somebody else's.
        const made = isRefused ? [] : linksMade(view, intent);
        const links = made.map((entry) => [entryKey(entry), entry] as const);
        for (const [one, entry] of links) entries.set(one, entry);
        entries.delete(key);
        await save(...links.map(([one]) => one), key);
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
      await save(key);
    },
    forgetLink: async (index) => {
      const keys = forget(entries, index);
      if (keys.length > 0) await save(...keys);
    },
  };
}

function isUnanswered(error: unknown): boolean {
  return isBloomeryError(error) && error.code === 'BLM_KERNEL_UNANSWERED';
}

/** Drop the entries of a link and of what was on it. @returns their keys */
function forget(entries: Map<string, JournalEntry>, index: number): readonly string[] {
  const gone = [...entries].filter(([, entry]) => entryLink(entry) === index).map(([key]) => key);
  for (const key of gone) entries.delete(key);
  return gone;
}

/** Whether the link of an entry is gone, or another one has its index: links that come from another network keep theirs. */
function isGone(view: KernelView, entry: JournalEntry): boolean {
  const index = entryLink(entry);
  if (index === 0) return false;
  const link = view.links.get(index);
  return link === undefined || (entry.do === 'removeLink' && link.name !== entry.name);
}

/** The entries of what became of a link that was about to be made. */
function linksMade(view: KernelView, { name, presentIndex }: MakeLink): readonly JournalEntry[] {
  // Those that others make at the same moment have other names.
  const own = view.linkByName(name);
  if (own === undefined || own.index === presentIndex) return [];
  const ends = [own, otherEnd(own, view.links)].filter((link) => link !== undefined);
  return ends.map((link) => ({ do: 'removeLink', index: link.index, name: link.name }));
}

type MakeLink = Extract<JournalEntry, { readonly do: 'makeLink' }>;
