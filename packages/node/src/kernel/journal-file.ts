import { readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText, type Logger } from '@bloomery/ports';
import type { JournalEntry } from './journal-entry.ts';

/** The file of a journal. */
export interface JournalFile {
  /** What an earlier run left, when it was since the same boot and in the same network. */
  readonly entries: readonly JournalEntry[];
  /** Resolves when the entries of a moment after this call are in the file. A failing disk is said, and stops nobody. */
  save(entries: () => readonly JournalEntry[]): Promise<void>;
  remove(): Promise<void>;
}

interface Written {
  /** Of which network of which boot it tells: indexes mean nothing in others. */
  readonly network: string;
  readonly entries: readonly JournalEntry[];
}

/** Open the file, which need not be there. What cannot be read is left out. */
export async function openJournalFile(file: string, root: string, log: Logger): Promise<JournalFile> {
  const network = await networkOf(root);
  const old = await readWritten(file, log);
  let writing: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const write = async (entries: () => readonly JournalEntry[]): Promise<void> => {
    const written: Written = { network, entries: entries() };
    try {
      // Whole or not at all, for a process that is killed. A power cut makes it void, so nothing waits for the disk.
      await writeFile(`${file}.tmp`, `${JSON.stringify(written)}\n`, { mode: 0o600 });
      await rename(`${file}.tmp`, file);
    } catch (error) {
      log.warn('kernel.journal_unwritten', { file, error: errorText(error) });
    }
  };
  return {
    entries: old?.network === network ? old.entries : [],
    save: (entries) => {
      // Whoever comes while it is written is in the next one, together with all others.
      next ??= (writing ?? Promise.resolve()).then(() => {
        writing = next;
        next = undefined;
        return write(entries);
      });
      return next;
    },
    remove: async () => {
      await (next ?? writing);
      await rm(file, { force: true });
    },
  };
}

async function networkOf(root: string): Promise<string> {
  const boot = await readFile(join(root, 'proc/sys/kernel/random/boot_id'), 'utf8').catch(() => '');
  const namespace = await readlink(join(root, 'proc/self/ns/net')).catch(() => '');
  return `${boot.trim()} ${namespace}`;
}

async function readWritten(file: string, log: Logger): Promise<Written | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const written: unknown = JSON.parse(text);
    if (isWritten(written)) return written;
  } catch {
    // Said below.
  }
  log.warn('kernel.journal_unreadable', { file });
  return undefined;
}

/** The file is ours and private: its shape is checked, not every field. */
function isWritten(value: unknown): value is Written {
  if (typeof value !== 'object' || value === null || !('network' in value) || !('entries' in value)) return false;
  const { network, entries } = value;
  const isEntry = (entry: unknown): boolean => typeof entry === 'object' && entry !== null && 'do' in entry;
  return typeof network === 'string' && Array.isArray(entries) && entries.every(isEntry);
}
