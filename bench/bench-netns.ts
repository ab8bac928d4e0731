import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A network namespace of its own with a loopback: peers with fixed ports disturb nobody. */
export interface BenchNamespace {
  /** Start a program; it is killed at the end. */
  start(program: string, ...args: readonly string[]): ChildProcess;
  /** Start one of our scripts and wait for its first line. */
  startScript(file: string, ...args: readonly string[]): Promise<ChildProcess>;
  /** Run a program to its end and return what it printed. Throws when it fails. */
  run(program: string, ...args: readonly string[]): string;
  end(): void;
}

/** Why there can be no namespace here; false when there can. */
export function whyNoNamespace(): string | false {
  return process.getuid?.() === 0 ? false : 'needs root for a network namespace';
}

/** Make a namespace with its loopback up. */
export function makeBenchNamespace(): BenchNamespace {
  const name = `blmbench${process.pid}`;
  execFileSync('ip', ['netns', 'add', name]);
  execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  const inside = (program: string, args: readonly string[]): string[] => ['netns', 'exec', name, program, ...args];
  const start = (program: string, args: readonly string[], stdout: 'ignore' | 'pipe'): ChildProcess =>
    spawn('ip', inside(program, args), { stdio: ['ignore', stdout, 'inherit'] });
  const run = (program: string, args: readonly string[]): string => {
    const done = spawnSync('ip', inside(program, args), { encoding: 'utf8', maxBuffer: 1_048_576 });
    if (done.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${done.stderr}`);
    return done.stdout;
  };
  return {
    start: (program, ...args) => start(program, args, 'ignore'),
    startScript: async (file, ...args) => {
      const child = start(process.execPath, [file, ...args], 'pipe');
      if (child.stdout === null) throw new Error(`${file} has no output`);
      await once(createInterface(child.stdout), 'line');
      return child;
    },
    run: (program, ...args) => run(program, args),
    end: () => {
      const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n').filter(Boolean);
      for (const pid of pids) process.kill(Number(pid), 'SIGKILL');
      execFileSync('ip', ['netns', 'del', name]);
    },
  };
}
