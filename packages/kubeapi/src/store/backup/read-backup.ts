import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { errorText } from '@bloomery/ports';
import {
  type BackupHead,
  type BackupLine,
  invalidBackup,
  MAX_BACKUP_LINE_BYTES,
  parseBackupLine,
} from './backup-format.ts';

const READ_BYTES = 1024 * 1024;
const NEWLINE = 10;

/** A backup file whose checksum and counts were found right. */
export interface VerifiedBackup {
  readonly head: BackupHead;
  /** Files and objects, read anew with each call. */
  readonly content: () => Iterable<BackupLine>;
}

/**
 * Check a backup from its first to its last byte.
 *
 * @throws BloomeryError BLM_BACKUP_INVALID when it is damaged, cut off, too new, or no backup.
 */
export function readBackup(file: string): VerifiedBackup {
  const check = createBackupCheck(file);
  for (const bytes of linesOf(file)) check.line(bytes);
  const head = check.end();
  return {
    head,
    *content() {
      let number = 0;
      for (const bytes of linesOf(file)) {
        number += 1;
        const line = parseBackupLine(file, number, bytes.toString('utf8'));
        if (line.kind === 'file' || line.kind === 'object') yield line;
      }
    },
  };
}

/** Follows the lines of a backup, from a file or from the network, and says at the end whether it is whole. */
export interface BackupCheck {
  /** One line without its newline. @throws BloomeryError BLM_BACKUP_INVALID. */
  line(bytes: Uint8Array): void;
  /** After the last line. @throws BloomeryError BLM_BACKUP_INVALID. */
  end(): BackupHead;
}

/** Make the check of one backup. `source` names it in errors. */
export function createBackupCheck(source: string): BackupCheck {
  const hash = createHash('sha256');
  let head: BackupHead | undefined;
  let lines = 0;
  let objects = 0;
  let files = 0;
  let isOver = false;
  return {
    line(bytes) {
      if (isOver) throw invalidBackup(source, 'something follows its end');
      const line = parseBackupLine(source, lines + 1, Buffer.from(bytes).toString('utf8'));
      if ((lines === 0) !== (line.kind === 'head')) throw invalidBackup(source, 'it does not begin as a backup');
      if (line.kind === 'head') head = line.head;
      if (line.kind === 'object') objects += 1;
      if (line.kind === 'file') files += 1;
      if (line.kind === 'end') {
        requireEnd(source, line.end, lines, hash);
        isOver = true;
        return;
      }
      hash.update(bytes).update('\n');
      lines += 1;
    },
    end() {
      if (head === undefined) throw invalidBackup(source, 'it is empty');
      if (!isOver) throw invalidBackup(source, `it is cut off after line ${lines}`);
      if (objects !== head.objects || files !== head.files)
        throw invalidBackup(
          source,
          `it holds ${objects} objects and ${files} files, and ${head.objects} and ${head.files} were written`,
        );
      return head;
    },
  };
}

function requireEnd(
  source: string,
  end: { readonly lines: number; readonly sha256: string },
  lines: number,
  hash: Hash,
): void {
  if (end.lines !== lines) throw invalidBackup(source, `it has ${lines} lines, and ${end.lines} were written`);
  if (hash.digest('hex') !== end.sha256) throw invalidBackup(source, 'its checksum does not fit: it is damaged');
}

function* linesOf(file: string): Generator<Buffer> {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (cause) {
    throw invalidBackup(file, errorText(cause));
  }
  try {
    let rest: Buffer = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.alloc(READ_BYTES);
      const length = readSync(handle, chunk);
      if (length === 0) break;
      rest = Buffer.concat([rest, chunk.subarray(0, length)]);
      let start = 0;
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE, start)) {
        yield rest.subarray(start, end);
        start = end + 1;
      }
      rest = rest.subarray(start);
      if (rest.length > MAX_BACKUP_LINE_BYTES) throw invalidBackup(file, 'it has a line that is too long');
    }
    if (rest.length > 0) yield rest;
  } finally {
    closeSync(handle);
  }
}
