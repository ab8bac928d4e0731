import { spawn } from 'node:child_process';
import type { Clock, Logger } from '@bloomery/ports';

/** A program that is started again whenever it ends, until it is stopped. */
export interface KeptProcess {
  /** What it said last on stderr when it ended by itself; '' while it runs. */
  readonly lastWords: string;
  readonly pid: number | undefined;
  /** Ends it; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface KeptProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** Called when it started and when it ended. */
  readonly onChanged: () => void;
}

const RESTART_MS = 1_000;
const KILL_AFTER_MS = 10_000;
const MAX_WORDS = 400;

/** Keep a program running. */
export function keepProcess(
  { program, args, onChanged }: KeptProgram,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): KeptProcess {
  let stopping = false;
  let lastWords = '';
  let pid: number | undefined;
  let cancel = (): void => {};
  let kill = (_signal: NodeJS.Signals): void => {};
  let ended = Promise.resolve();

  const start = (): void => {
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said = (said + String(chunk)).slice(-MAX_WORDS);
    });
    child.on('error', (error) => {
      said = error.message;
    });
    kill = (signal) => void child.kill(signal);
    pid = child.pid;
    lastWords = '';
    ended = new Promise((resolve) => {
      child.on('close', (code) => {
        pid = undefined;
        lastWords = said.trim().split('\n').at(-1) ?? '';
        if (!stopping) {
          log.warn('program.ended', { program, code, said: lastWords });
          cancel = clock.after(RESTART_MS, start);
        }
        resolve();
        onChanged();
      });
    });
    log.info('program.started', { program, pid });
    onChanged();
  };

  start();
  return {
    get lastWords() {
      return lastWords;
    },
    get pid() {
      return pid;
    },
    async stop() {
      stopping = true;
      cancel();
      kill('SIGTERM');
      const giveUp = clock.after(KILL_AFTER_MS, () => kill('SIGKILL'));
      await ended;
      giveUp();
    },
  };
}
