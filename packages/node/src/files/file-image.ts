import { createHash } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  open,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What stands at a path. */
export type FileImage =
  | { readonly kind: 'absent' }
  | { readonly kind: 'symlink'; readonly target: string }
  | {
      readonly kind: 'file';
      readonly content: Buffer;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** Files of the host that are longer are none that a daemon writes. */
const IMAGE_MAX_BYTES = 32 * 1024 * 1024;

/**
 * Read what stands at a path, without following a symlink.
 *
 * @throws the error of the system; Error for a folder, a device, a pipe (which could be waited on for ever) and more than 32 MiB.
 */
export async function readImage(path: string): Promise<FileImage> {
  const stat = await lstat(path).catch((error: unknown) => {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (stat === undefined) return { kind: 'absent' };
  if (stat.isSymbolicLink()) return { kind: 'symlink', target: await readlink(path) };
  if (!stat.isFile()) throw new Error(`${path} is no regular file`);
  if (stat.size > IMAGE_MAX_BYTES) throw new Error(`${path} has more than ${IMAGE_MAX_BYTES} bytes`);
  return { kind: 'file', content: await readFile(path), mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

/** A mark of the content: equal for equal content or target, whatever the mode. */
export function digestOf(image: FileImage): string {
  const body = image.kind === 'file' ? image.content : image.kind === 'symlink' ? image.target : '';
  return createHash('sha256').update(`${image.kind}\n`).update(body).digest('hex');
}

/**
 * Make a path this image: at once for whoever reads it (a new file takes the old one's place), and in place where that cannot be
 * (a bind mount, a folder that is read-only, a full disk where the file itself has room for it).
 *
 * @throws the error of the system
 */
export async function placeImage(path: string, image: FileImage): Promise<void> {
  if (image.kind === 'absent') return rm(path, { force: true });
  const fresh = join(dirname(path), `.${basename(path)}.bloomery`);
  try {
    await rm(fresh, { force: true });
    if (image.kind === 'symlink') await symlink(image.target, fresh);
    else await writeNew(fresh, image);
    await rename(fresh, path);
  } catch (error) {
    await unlink(fresh).catch(() => undefined);
    if (image.kind === 'symlink') throw error;
    // Never through a symlink: what it leads to belongs to somebody else.
    if ((await readImage(path)).kind !== 'file') throw error;
    if (hasErrno(error, 'EBUSY', 'EROFS', 'EACCES', 'EPERM', 'EXDEV')) await writeInPlace(path, image.content);
    else if (hasErrno(error, 'ENOSPC', 'EDQUOT')) await writeOver(path, image.content, error);
    else throw error;
  }
}

const BLOCK_BYTES = 512;

/** Write over what a file has, if it takes no more room on the disk than it has. @throws full otherwise, and nothing is changed */
async function writeOver(path: string, content: Uint8Array, full: unknown): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { blocks } = await file.stat();
    if (content.byteLength > blocks * BLOCK_BYTES) throw full;
    await file.write(content, 0, content.byteLength, 0);
    await file.truncate(content.byteLength);
  } finally {
    await file.close();
  }
}

/** Write into the file that is there: for bind mounts and /proc. */
export const writeInPlace = (path: string, content: Uint8Array): Promise<void> => writeFile(path, content);

async function writeNew(path: string, image: Extract<FileImage, { kind: 'file' }>): Promise<void> {
  await writeFile(path, image.content, { flag: 'wx', mode: 0o600, flush: true });
  const stat = await lstat(path);
  if (stat.uid !== image.uid || stat.gid !== image.gid) await chown(path, image.uid, image.gid);
  await chmod(path, image.mode);
}

/** Whether an error of the system is one of these. */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}
