import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Json, stringifyJson } from '@bloomery/model';
import type { ApiObject } from '../../api-object.ts';
import type { Store } from '../store.ts';
import { BACKUP_FORMAT, type BackupHead, endJson, headJson } from './backup-format.ts';

/** How much is written in one turn of the event loop: writers wait no longer than that takes. */
const PIECE_CHARACTERS = 128 * 1024;

/** A file beside the store that a backup holds. */
export interface BackupFile {
  /** Relative to the data directory. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** What a backup is made of. */
export interface BackupSource {
  readonly store: Store;
  readonly files: readonly BackupFile[];
  readonly version: string;
  /** RFC 3339. */
  readonly time: string;
}

/** A backup under way: its head at once, its bytes as they are asked for. */
export interface BackupStream {
  readonly head: BackupHead;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Write a backup of the store as it is now. The objects are taken in this turn: they are frozen in memory, so that writers go on
 * while the bytes leave in pieces.
 */
export function writeBackup({ store, files, version, time }: BackupSource): BackupStream {
  const objects: [resource: string, objects: readonly ApiObject[]][] = [];
  let count = 0;
  for (const resource of store.resources()) {
    const all = store.list(resource);
    objects.push([resource, all]);
    count += all.length;
  }
  const head: BackupHead = {
    format: BACKUP_FORMAT,
    version,
    time,
    revision: store.revision,
    objects: count,
    files: files.length,
  };
  return { head, bytes: inPieces(lines(head, files, objects)) };
}

function* lines(
  head: BackupHead,
  files: readonly BackupFile[],
  objects: readonly (readonly [string, readonly ApiObject[]])[],
): Generator<Json> {
  yield headJson(head);
  for (const { name, content } of files) yield { file: name, content: Buffer.from(content).toString('base64') };
  for (const [resource, all] of objects) for (const object of all) yield { resource, object };
}

async function* inPieces(values: Iterable<Json>): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let count = 0;
  let text = '';
  for (const value of values) {
    text += `${stringifyJson(value)}\n`;
    count += 1;
    if (text.length < PIECE_CHARACTERS) continue;
    const piece = Buffer.from(text);
    text = '';
    hash.update(piece);
    yield piece;
    await nextTurn();
  }
  const rest = Buffer.from(text);
  hash.update(rest);
  yield rest;
  yield Buffer.from(`${stringifyJson(endJson({ lines: count, sha256: hash.digest('hex') }))}\n`);
}
