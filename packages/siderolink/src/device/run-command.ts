import { execFile } from 'node:child_process';
import { BloomeryError } from '@bloomery/ports';

const TIMEOUT_MS = 10_000;
const OUTPUT_MAX_BYTES = 32 * 1024 * 1024;

/**
 * Run a system program to its end and return its standard output. 10 s at most.
 *
 * @param step What is being done, for the message: `adding the address`.
 * @param input Fed to standard input; the way for secrets, which never appear among the arguments.
 * @throws BloomeryError BLM_LINK_DEVICE_FAILED with the program's own words.
 */
export function runCommand(step: string, argv: readonly [string, ...string[]], input = ''): Promise<string> {
  const [file, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      args,
      { timeout: TIMEOUT_MS, maxBuffer: OUTPUT_MAX_BYTES },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const why = stderr.trim().split('\n').at(-1) || error.message;
        reject(
          new BloomeryError('BLM_LINK_DEVICE_FAILED', `${step}: ${file}: ${why}`, {
            facts: { program: file, exitCode: error.code },
            cause: error,
          }),
        );
      },
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
