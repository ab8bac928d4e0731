import { spawn } from 'node:child_process';
import { BloomeryError } from '@bloomery/ports';

export interface RunOptions {
  readonly cwd?: string;
  readonly input?: Uint8Array;
}

/**
 * Run a system program to its end and return what it wrote to stdout.
 * @throws BloomeryError BLM_LAB_PROGRAM_FAILED with its last words when it is missing or fails.
 */
export async function runProgram(program: string, args: readonly string[], options: RunOptions = {}): Promise<Buffer> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const out: Buffer[] = [];
  const words: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  child.stdin.on('error', () => words.push(Buffer.from('stopped reading its input')));
  child.stdin.end(options.input);
  const code = await new Promise<number | string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (status, signal) => resolve(status ?? signal ?? 'lost'));
  });
  if (code === 0) return Buffer.concat(out);
  const said = Buffer.concat(words).toString('utf8').trim().slice(-600);
  throw new BloomeryError(
    'BLM_LAB_PROGRAM_FAILED',
    `running ${program} ${args.join(' ')}: ended with ${code}: ${said}`,
    {
      facts: { program, code },
    },
  );
}
