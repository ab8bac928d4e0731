import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { BloomeryError, type ErrorCode } from '@bloomery/ports';

/**
 * Make the folder and take it for this process, within the network namespace; the system gives it back however the process
 * ends.
 *
 * @throws BloomeryError `code` when another one has it: two would remove each other's interface for ever.
 */
export async function lockStateDir(
  dir: string,
  command: string,
  code: ErrorCode = 'BLM_LINK_CONFIG_INVALID',
): Promise<Disposable> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
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
