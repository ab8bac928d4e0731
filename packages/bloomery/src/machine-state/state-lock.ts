import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { BloomeryError, type ErrorCode } from '@bloomery/ports';
import { makeDirectory } from '../serve/data-dir.ts';

/**
 * Make the folder and take it for this process, within the network namespace; the system gives it back however the process
 * ends.
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
  const name = createHash('sha256').update(realpathSync(dir)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `using ${dir}: another ${command} runs on it; stop that one, or give --state another folder`;
      reject(new BloomeryError(code, message, { cause }));
    });
    // A socket without a file: it is gone with the process.
    server.listen(`\0bloomery-link-${name}`, resolve);
  });
  return { [Symbol.dispose]: () => void server.close() };
}
