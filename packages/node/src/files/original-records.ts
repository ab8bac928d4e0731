import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BloomeryError } from '@bloomery/ports';
import { writeDurably } from '../config/durable-file.ts';
import { type FileImage, hasErrno } from './file-image.ts';

/** What was at a path before the daemon changed it, and what the daemon put there. */
export interface OriginalRecord {
  readonly path: string;
  readonly original: FileImage;
  /** Digests of what the daemon put there last: two between the intent and the deed. */
  readonly written: readonly string[];
  /** First of the folders that were made for it. */
  readonly madeFolder?: string;
  /** Only of this boot of the machine: for settings that a boot forgets. */
  readonly bootId?: string;
}

/** Records in a folder, one file each, so that they outlive a crash. */
export interface OriginalRecords {
  /** All that are kept, by path. */
  load(): Promise<ReadonlyMap<string, OriginalRecord>>;
  /** On disk when it resolves. */
  save(record: OriginalRecord): Promise<void>;
  forget(path: string): Promise<void>;
  /** Take it out of the records, but keep its file. @returns where it is */
  setAside(path: string): Promise<string>;
}

const SUFFIX = '.json';

/** Records in this folder, which is made when the first is saved. */
export function createOriginalRecords(folder: string): OriginalRecords {
  const fileOf = (path: string): string => join(folder, `${encodeURIComponent(path)}${SUFFIX}`);
  return {
    load: async () => {
      const names = await readdir(folder).catch((error: unknown) => {
        if (hasErrno(error, 'ENOENT')) return [];
        throw error;
      });
      const records = new Map<string, OriginalRecord>();
      for (const name of names.sort()) {
        if (!name.endsWith(SUFFIX) || name.endsWith(ASIDE)) continue;
        const record = parseRecord(join(folder, name), await readFile(join(folder, name), 'utf8'));
        records.set(record.path, record);
      }
      return records;
    },
    save: async (record) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeDurably(fileOf(record.path), formatRecord(record), 0o600);
    },
    forget: (path) => rm(fileOf(path), { force: true }),
    setAside: async (path) => {
      const aside = fileOf(path).slice(0, -SUFFIX.length) + ASIDE;
      await rename(fileOf(path), aside);
      return aside;
    },
  };
}

const ASIDE = '.kept.json';

function formatRecord({ original, ...record }: OriginalRecord): string {
  const image = original.kind === 'file' ? { ...original, content: original.content.toString('base64') } : original;
  return `${JSON.stringify({ ...record, original: image }, undefined, 2)}\n`;
}

function parseRecord(file: string, text: string): OriginalRecord {
  try {
    const { original, ...record } = JSON.parse(text);
    if (typeof record.path !== 'string' || !Array.isArray(record.written))
      throw new Error('path or written is missing');
    if (original.kind !== 'file') return { ...record, original };
    return { ...record, original: { ...original, content: Buffer.from(original.content, 'base64') } };
  } catch (cause) {
    throw new BloomeryError('BLM_NODE_HOST_FILE', `the kept original ${file} cannot be read`, { cause });
  }
}
