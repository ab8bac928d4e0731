import { constants } from 'node:fs';
import { open, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger, oneRunBehind } from '@bloomery/ports';
import type { JournalEntry } from './journal-entry.ts';

/** The file of a journal: what it was about, and then one line for each change of an entry. */
export interface JournalFile {
  /** By their keys, the oldest first; at the start what an earlier run left, when it was since the same boot and in the same network. */
  readonly entries: Map<string, JournalEntry>;
  /** Resolves when these entries are in the file as they are then, or gone from it. A failing disk is said, and stops nobody. */
  save(...keys: readonly string[]): Promise<void>;
  remove(): Promise<void>;
}

/** What the file may be longer than what it holds, in lines, before it is written anew. */
const SLACK_LINES = 200;

/** Open the file, which need not be there. What cannot be read is left out. */
export async function openJournalFile(file: string, root: string, log: Logger): Promise<JournalFile> {
  const network = await networkOf(root);
  const entries = await readEntries(file, network, log);
  const changed = new Set<string>();
  /** Lines of entries; undefined: what the file holds is not known. */
  let lines: number | undefined;
  let saved: Promise<void> = Promise.resolve();
  const lineOf = (key: string): string => `${JSON.stringify({ key, entry: entries.get(key) })}\n`;

  const writeWhole = async (): Promise<void> => {
    const all = [...entries.keys()];
    lines = undefined;
    // Whole or not at all, for a process that is killed. A power cut makes it void, so nothing waits for the disk.
    await writeFile(`${file}.tmp`, [`${JSON.stringify({ network })}\n`, ...all.map(lineOf)].join(''), { mode: 0o600 });
    await rename(`${file}.tmp`, file);
    lines = all.length;
  };
  const write = oneRunBehind(async () => {
    const keys = [...changed];
    changed.clear();
    const after = (lines ?? Number.POSITIVE_INFINITY) + keys.length;
    try {
      if (after > 2 * entries.size + SLACK_LINES) return await writeWhole();
      lines = after;
      await append(file, keys.map(lineOf).join('')).catch(writeWhole);
    } catch (error) {
      log.warn('kernel.journal_unwritten', { file, error: errorText(error) });
    }
  });
  return {
    entries,
    save: (...keys) => {
      for (const key of keys) changed.add(key);
      saved = write();
      return saved;
    },
    remove: async () => {
      await saved;
      lines = undefined;
      await rm(file, { force: true });
    },
  };
}

/** To a file that is there: one that somebody took away has to be written whole. */
async function append(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_APPEND);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

async function networkOf(root: string): Promise<string> {
  const boot = await readFile(join(root, 'proc/sys/kernel/random/boot_id'), 'utf8').catch(() => '');
  const namespace = await readlink(join(root, 'proc/self/ns/net')).catch(() => '');
  return `${boot.trim()} ${namespace}`;
}

/** Those of this network. The last line may end early: whoever wrote it was killed before it did what it wrote down. */
async function readEntries(file: string, network: string, log: Logger): Promise<Map<string, JournalEntry>> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const entries = new Map<string, JournalEntry>();
  if (text === undefined) return entries;
  const [head, ...lines] = text.split('\n').slice(0, -1).map(parseLine);
  if (head === undefined || !('network' in head) || typeof head.network !== 'string') {
    log.warn('kernel.journal_unreadable', { file });
    return entries;
  }
  if (head.network !== network) return entries;
  for (const line of lines) {
    if (line === undefined || !('key' in line) || typeof line.key !== 'string') {
      log.warn('kernel.journal_unreadable', { file });
    } else if ('entry' in line && isEntry(line.entry)) entries.set(line.key, line.entry);
    else entries.delete(line.key);
  }
  return entries;
}

function parseLine(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The file is ours and private: its shape is checked, not every field. */
function isEntry(value: unknown): value is JournalEntry {
  return typeof value === 'object' && value !== null && 'do' in value;
}
