import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BloomeryError, errorText } from '@bloomery/ports';
import { makeDirectory, writeFileWhole } from '../serve/data-dir.ts';

/** Keys of Talos' META partition that a machine keeps. */
export const META_KEY = { uuid: '0xf', uniqueToken: '0x10' } as const;

/** Values that outlive a restart, by META key. */
export interface MetaFile {
  get(key: string): string | undefined;
  /** On disk when it returns. */
  set(key: string, value: string): void;
}

/**
 * The file with a machine's META values; made, with its folder, by the first `set`.
 *
 * @throws BloomeryError BLM_LINK_CONFIG_INVALID when it is there and cannot be read: making new values would lock the machine
 * out at a server that knows the old ones.
 */
export function openMetaFile(file: string): MetaFile {
  const values = new Map(Object.entries(readValues(file)));
  return {
    get: (key) => values.get(key),
    set: (key, value) => {
      values.set(key, value);
      makeDirectory(dirname(file));
      writeFileWhole(file, `${JSON.stringify(Object.fromEntries(values), undefined, 2)}\n`, 0o600);
    },
  };
}

function readValues(file: string): Readonly<Record<string, string>> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw unreadable(file, errorText(error));
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    // The parser quotes what it cannot read, and a token may be among it.
    throw unreadable(file, 'it is not JSON');
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw unreadable(file, 'it is not an object of texts');
  }
  const values = Object.entries(found);
  if (!values.every(([, value]) => typeof value === 'string')) throw unreadable(file, 'it is not an object of texts');
  return Object.fromEntries(values.map(([key, value]) => [key, String(value)]));
}

function unreadable(file: string, why: string): BloomeryError {
  const next =
    'put it back from a backup, or remove it: then the server may refuse this machine until an operator resets its token';
  return new BloomeryError('BLM_LINK_CONFIG_INVALID', `reading ${file}: ${why}; ${next}`, { facts: { file } });
}
