import { constants } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Steps of a durable write, for tests that end the process between them. */
export type WriteStep = 'opened' | 'written' | 'synced' | 'renamed' | 'done';

/**
 * Write a file so that after a crash at any instant it holds either the old content or the new one, whole: temporary file beside it,
 * fsync, rename, fsync of the folder. Not to be called twice at once for one file.
 *
 * @param mode permissions, such as 0o600.
 * @throws the error of the file system, with the file in its message.
 */
export async function writeDurably(
  path: string,
  content: string,
  mode: number,
  atStep: (step: WriteStep) => void = () => {},
): Promise<void> {
  const temporary = `${path}.tmp`;
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  const file = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
  try {
    atStep('opened');
    await file.chmod(mode);
    await file.writeFile(content);
    atStep('written');
    await file.sync();
    atStep('synced');
  } catch (error) {
    await rm(temporary, { force: true });
    // Node names the file only where it opened it by its name.
    if (error instanceof Error) error.message = `${error.message} '${path}'`;
    throw error;
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  atStep('renamed');
  await syncFolder(dirname(path));
  atStep('done');
}

/** The rename is on disk only when the folder is. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The text of a file; undefined when there is none. @throws any other error of the file system, with the path. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    if (error instanceof Error && !error.message.includes(path)) error.message = `${error.message} '${path}'`;
    throw error;
  }
}
