import { appendFile, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Bounds of a file that is rotated. */
export interface RotationLimits {
  /** The file is put aside when it would become larger. */
  readonly fileBytes: number;
  /** Files that were put aside and are kept: `.1` is the newest. */
  readonly oldFiles: number;
}

/**
 * Make the function that appends whole lines to a file, for its owner only, and puts it aside when it is full. One call at a time.
 * It throws the system's error; the next call begins with a look at what is in the file then.
 */
export function createRotatingAppender(
  file: string,
  { fileBytes, oldFiles }: RotationLimits,
): (text: string) => Promise<void> {
  let size: number | undefined;
  return async (text) => {
    const bytes = Buffer.from(text);
    let before = size;
    // After a failure nobody knows what is in the file.
    size = undefined;
    before ??= await openedSize(file);
    if (before > 0 && before + bytes.length > fileBytes) {
      await rotate(file, oldFiles);
      before = await openedSize(file);
    }
    await appendFile(file, bytes, { mode: 0o600 });
    size = before + bytes.length;
  };
}

const NEWLINE = 0x0a;

/** The size of the file, which is made when it is not there, and is for its owner only. A line that broke off is ended. */
async function openedSize(file: string): Promise<number> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await using handle = await open(file, 'a+', 0o600);
  await handle.chmod(0o600);
  const { size } = await handle.stat();
  if (size === 0) return 0;
  const { buffer } = await handle.read({ buffer: Buffer.alloc(1), position: size - 1 });
  // A full disk or a crash may have cut it: the next line must not be part of it.
  if (buffer.readUInt8() === NEWLINE) return size;
  await handle.appendFile('\n');
  return size + 1;
}

async function rotate(file: string, oldFiles: number): Promise<void> {
  await rm(`${file}.${oldFiles}`, { force: true });
  for (let i = oldFiles - 1; i >= 1; i--) await renameIfThere(`${file}.${i}`, `${file}.${i + 1}`);
  if (oldFiles > 0) await rename(file, `${file}.1`);
  else await rm(file);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
