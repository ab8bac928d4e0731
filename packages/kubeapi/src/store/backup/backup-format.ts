import { isJsonObject, type Json, type JsonObject, parseJson } from '@bloomery/model';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { ApiObject } from '../../api-object.ts';

/** The format of the backups that this version writes. It reads no newer ones. */
export const BACKUP_FORMAT = 1;
/** The longest line: an object, or a file in base64. */
export const MAX_BACKUP_LINE_BYTES = 16 * 1024 * 1024;

const HEAD = 'BloomeryBackup';
const END = 'BloomeryBackupEnd';

/**
 * The first line of a backup. A backup is JSON lines: this one, one for each file, one for each object, and an end with the
 * SHA-256 of everything before it. Objects are not sealed: whoever has the file has all Secrets.
 */
export interface BackupHead {
  readonly format: number;
  /** Version of the product that wrote it. */
  readonly version: string;
  /** RFC 3339. */
  readonly time: string;
  /** All objects are as they were at this revision. */
  readonly revision: number;
  readonly objects: number;
  readonly files: number;
}

/** The last line. */
export interface BackupEnd {
  /** Lines before it. */
  readonly lines: number;
  /** Hex SHA-256 of all bytes before this line. */
  readonly sha256: string;
}

/** A line of a backup. */
export type BackupLine =
  | { readonly kind: 'head'; readonly head: BackupHead }
  | { readonly kind: 'file'; readonly name: string; readonly content: Uint8Array }
  | { readonly kind: 'object'; readonly resource: string; readonly object: ApiObject }
  | { readonly kind: 'end'; readonly end: BackupEnd };

/** The head as JSON. */
export function headJson(head: BackupHead): JsonObject {
  return { kind: HEAD, ...head };
}

/** The end as JSON. */
export function endJson(end: BackupEnd): JsonObject {
  return { kind: END, ...end };
}

/** Read one line. @throws BloomeryError BLM_BACKUP_INVALID. */
export function parseBackupLine(source: string, number: number, text: string): BackupLine {
  let value: Json;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw invalidBackup(source, `line ${number} is no JSON (${errorText(cause)})`);
  }
  const line = isJsonObject(value) ? lineOf(value) : undefined;
  if (line === undefined) throw invalidBackup(source, `line ${number} is no line of a backup`);
  if (line.kind === 'head' && line.head.format > BACKUP_FORMAT) {
    throw invalidBackup(
      source,
      `it has format ${line.head.format}, written by version ${line.head.version}, and this version reads up to ${BACKUP_FORMAT}`,
    );
  }
  return line;
}

/** A backup that cannot be used, with the reason. */
export function invalidBackup(source: string, why: string): BloomeryError {
  return new BloomeryError('BLM_BACKUP_INVALID', `Reading the backup ${source}: ${why}`, { facts: { file: source } });
}

function lineOf(value: JsonObject): BackupLine | undefined {
  const { kind, file, content, resource, object } = value;
  if (typeof file === 'string' && typeof content === 'string')
    return { kind: 'file', name: file, content: Buffer.from(content, 'base64') };
  if (typeof resource === 'string' && isApiObject(object)) return { kind: 'object', resource, object };
  if (kind === HEAD) {
    const head = headOf(value);
    return head === undefined ? undefined : { kind: 'head', head };
  }
  const { lines, sha256 } = value;
  if (kind === END && typeof lines === 'number' && typeof sha256 === 'string')
    return { kind: 'end', end: { lines, sha256 } };
  return undefined;
}

function headOf(value: JsonObject): BackupHead | undefined {
  const { format, version, time, revision, objects, files } = value;
  if (typeof format !== 'number' || typeof version !== 'string' || typeof time !== 'string') return undefined;
  if (!isCount(revision) || !isCount(objects) || !isCount(files)) return undefined;
  return { format, version, time, revision, objects, files };
}

function isCount(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isApiObject(value: Json | undefined): value is ApiObject {
  if (!isJsonObject(value) || !isJsonObject(value['metadata'])) return false;
  const { name, resourceVersion } = value['metadata'];
  return typeof name === 'string' && typeof resourceVersion === 'string' && /^\d{1,15}$/.test(resourceVersion);
}
