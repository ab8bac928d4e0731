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
  const { entries } = file;
  for (const [key, entry] of [...entries]) {
    if (entry.do === 'makeLink') {
      entries.delete(key);
      for (const made of linksMade(view, entry)) entries.set(entryKey(made), made);
    } else if (isGone(view, entry)) forget(entries, entryLink(entry));
  }
  return new Recorder(view, file);
}

class Recorder implements JournalRecorder {
  readonly entries: Map<string, JournalEntry>;
  readonly #view: KernelView;
  readonly #file: JournalFile;

  constructor(view: KernelView, file: JournalFile) {
    this.entries = file.entries;
    this.#view = view;
    this.#file = file;
  }

  async record(entry: JournalEntry, act: Act): Promise<void> {
    const key = entryKey(entry);
    if (this.entries.has(key)) return act();
    await this.#write(key, entry);
    try {
      await act();
    } catch (error) {
      // It may have been done where the answer was lost; undoing what is not there is no problem.
      if (!isUnanswered(error)) await this.#erase(key);
      throw error;
    }
  }

  async takeAway(ours: JournalEntry, before: JournalEntry | undefined, act: Act): Promise<void> {
    const key = entryKey(ours);
    const old = this.entries.get(key);
    if (old?.do === ours.do) {
      await act();
      return this.#erase(key);
    }
    if (before === undefined) return act();
    if (old?.do !== 'putAddress' || before.do !== 'putAddress') return this.record(before, act);
    await this.#write(key, mergeAddress(before, old));
    return act();
  }

  async made(name: string, make: Act): Promise<void> {
    const intent = { do: 'makeLink', name, presentIndex: this.#view.linkByName(name)?.index ?? 0 } as const;
    const key = entryKey(intent);
    await this.#write(key, intent);
    let isRefused = false;
    try {
      await make();
    } catch (error) {
      isRefused = refusalErrno(error) !== undefined;
      throw error;
    } finally {
      // It may be there also where the answer was lost. What is there though it was refused is somebody else's.
      const made = isRefused ? [] : linksMade(this.#view, intent);
      const links = made.map((entry) => [entryKey(entry), entry] as const);
      for (const [one, entry] of links) this.entries.set(one, entry);
      this.entries.delete(key);
      await this.#file.save(...links.map(([one]) => one), key);
    }
  }

  isOurs(index: number): boolean {
    return this.entries.get(`link ${index}`)?.do === 'removeLink';
  }

  async changeLink(index: number, before: LinkBefore): Promise<void> {
    const key = `link ${index}`;
    const old = this.entries.get(key);
    if (old?.do === 'removeLink') return;
    const all = old?.do === 'restoreLink' ? mergeBefore(before, old.before) : before;
    if (old?.do === 'restoreLink' && isDeepStrictEqual(all, old.before)) return;
    await this.#write(key, { do: 'restoreLink', index, name: linkName(this.#view, index), before: all });
  }

  async forgetLink(index: number): Promise<void> {
    const keys = forget(this.entries, index);
    if (keys.length > 0) await this.#file.save(...keys);
  }

  async #write(key: string, entry: JournalEntry): Promise<void> {
    this.entries.set(key, entry);
    await this.#file.save(key);
  }

  async #erase(key: string): Promise<void> {
    this.entries.delete(key);
    await this.#file.save(key);
  }
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
