import { BloomeryError, errorText } from '@bloomery/ports';

/** Primary result codes of SQLite (sqlite.org/rescode.html); an extended code carries its primary one in the low byte. */
const SQLITE = { busy: 5, locked: 6, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, noDatabase: 26 };

/** The store is damaged. The message ends with what to do. */
export function corruptStore(
  file: string,
  what: string,
  options: { readonly cause?: unknown; readonly facts?: Readonly<Record<string, unknown>> } = {},
): BloomeryError {
  const message = `Opening the store: ${file} ${what}. Keep the damaged files, and restore a backup: bloomery restore FILE --force`;
  return new BloomeryError('BLM_STORE_CORRUPT', message, {
    facts: { file, ...options.facts },
    ...('cause' in options ? { cause: options.cause } : {}),
  });
}

/** Why SQLite could not open or read the file, with what to do. */
export function openFailure(file: string, cause: unknown): BloomeryError {
  if (cause instanceof BloomeryError) return cause;
  switch (primaryCode(cause)) {
    case SQLITE.busy:
    case SQLITE.locked: {
      const message = `Opening the store ${file}: another process has it open; stop it, or name another directory with --data`;
      return new BloomeryError('BLM_STORE_LOCKED', message, { facts: { file }, cause });
    }
    case SQLITE.readOnly:
    case SQLITE.cannotOpen:
    case SQLITE.full:
    case SQLITE.ioError: {
      const message = `Opening the store ${file}: ${errorText(cause)}; ${remedy(cause)}`;
      return new BloomeryError('BLM_STORE_WRITE_FAILED', message, { facts: { file }, cause });
    }
    default:
      return corruptStore(file, `cannot be read as a database (${errorText(cause)})`, { cause });
  }
}

/** Why a commit failed, with what to do. Nothing of it was kept. */
export function commitFailure(file: string, writes: number, cause: unknown): BloomeryError {
  const message = `Writing to ${file}: ${errorText(cause)}; ${remedy(cause)}. Nothing was changed; writes go on as soon as the disk takes them`;
  return new BloomeryError('BLM_STORE_WRITE_FAILED', message, { retryable: true, facts: { file, writes }, cause });
}

function remedy(cause: unknown): string {
  switch (primaryCode(cause)) {
    case SQLITE.full:
      return 'the disk is full: free space on it';
    case SQLITE.readOnly:
    case SQLITE.cannotOpen:
      return 'the file or its file system cannot be written: make it writable for this user (after an I/O error Linux remounts read-only: see dmesg)';
    case SQLITE.corrupt:
    case SQLITE.noDatabase:
      return 'the file is damaged: take a backup with `bloomery backup` now, which reads from memory, and restore it';
    default:
      return 'the disk is full or failing: free space on it, and see dmesg';
  }
}

/** The primary SQLite code of an error of node:sqlite; 0 for anything else. */
function primaryCode(cause: unknown): number {
  const code = typeof cause === 'object' && cause !== null && 'errcode' in cause ? cause.errcode : 0;
  return typeof code === 'number' ? code & 0xff : 0;
}
