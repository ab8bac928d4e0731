import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { BloomeryError, type ErrorCode } from '@bloomery/ports';
import { makeDirectory } from '../serve/data-dir.ts';

/**
 * Make the folder and take it for this process; the system gives it back however the process ends.
 *
 * @throws BloomeryError `code` when another one has it: two would remove each other's interface for ever; the error of the file
 * system when the folder cannot be made.
 */
export async function lockStateDir(
  dir: string,
  command: string,
  code: ErrorCode = 'BLM_LINK_CONFIG_INVALID',
): Promise<Disposable> {
  makeDirectory(dir);
  const lock = (await lockFile(dir)) ?? (await lockName(dir));
  if (lock !== 'taken') return lock;
  const message = `using ${dir}: another ${command} runs on it; stop that one, or give --state another folder`;
  throw new BloomeryError(code, message);
}

const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

/** By a file of the folder, which only its owner can open; undefined where that is not possible. */
async function lockFile(dir: string): Promise<Disposable | 'taken' | undefined> {
  const koffi = await import('koffi').catch(() => undefined);
  const fd = koffi && openLock(dir);
  if (koffi === undefined || fd === undefined) return undefined;
  const flock = koffi.default.load(null).func('int flock(int, int)');
  if (flock(fd, LOCK_EX | LOCK_NB) === 0) return { [Symbol.dispose]: () => closeSync(fd) };
  const isTaken = koffi.default.errno() === EWOULDBLOCK;
  closeSync(fd);
  return isTaken ? 'taken' : undefined;
}

/** undefined on a disk that is full or may not be written, which must not keep a host from its network. */
function openLock(dir: string): number | undefined {
  try {
    return openSync(join(dir, 'lock'), constants.O_RDONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch {
    return undefined;
  }
}

/** By a socket without a file, in this network namespace: it is gone with the process, too. */
async function lockName(dir: string): Promise<Disposable | 'taken'> {
  const name = createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.once('error', () => resolve(false));
  server.listen(`\0bloomery-link-${name}`, () => resolve(true));
  return (await promise) ? { [Symbol.dispose]: () => void server.close() } : 'taken';
}
