import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that the lab started, so that exactly this one can be ended later, by another run too. */
interface Recorded {
  readonly what: string;
  readonly pid: number;
  /** Start time in clock ticks since boot: tells a reused number from our process. */
  readonly startTicks: string;
}

export interface BackgroundProcess {
  readonly what: string;
  readonly command: readonly [string, ...string[]];
  readonly logFile: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const STOP_WAIT_MS = 8_000;

/** The processes of one rack, kept in `processes.jsonl` of its state directory. */
export class ProcessRecord {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = join(stateDir, 'processes.jsonl');
  }

  /** Start a process that outlives this one; its output goes to the log file. Returns its number. */
  start({ what, command: [program, ...args], logFile, cwd, env }: BackgroundProcess): number {
    const log = openSync(logFile, 'a');
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
    });
    closeSync(log);
    child.on('error', (error) => appendFileSync(logFile, `${error.message}\n`));
    child.unref();
    const pid = child.pid;
    if (pid === undefined) throw new TypeError(`starting ${what}: ${program} cannot be run`);
    this.adopt(what, pid);
    return pid;
  }

  /** Remember a process that somebody else started for the rack. */
  adopt(what: string, pid: number): void {
    const startTicks = startTicksOf(pid);
    if (startTicks === undefined) return;
    appendFileSync(this.#file, `${JSON.stringify({ what, pid, startTicks } satisfies Recorded)}\n`);
  }

  /** True while the process `what` runs. */
  isRunning(what: string): boolean {
    return this.#list().some((entry) => entry.what === what && startTicksOf(entry.pid) === entry.startTicks);
  }

  /** Send a signal to the process `what`; false when it does not run. */
  signal(what: string, signal: NodeJS.Signals): boolean {
    const found = this.#list().filter((entry) => entry.what === what && startTicksOf(entry.pid) === entry.startTicks);
    for (const { pid } of found) process.kill(pid, signal);
    return found.length > 0;
  }

  /** End every recorded process, the youngest first, and forget them. */
  async stopAll(): Promise<void> {
    for (const entry of this.#list().reverse()) await endProcess(entry);
    rmSync(this.#file, { force: true });
  }

  #list(): Recorded[] {
    if (!existsSync(this.#file)) return [];
    const lines = readFileSync(this.#file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Recorded);
  }
}

async function endProcess({ pid, startTicks }: Recorded): Promise<void> {
  const runs = (): boolean => startTicksOf(pid) === startTicks;
  const until = Date.now() + STOP_WAIT_MS;
  if (runs()) process.kill(pid, 'SIGTERM');
  while (runs() && Date.now() < until) await sleep(50);
  if (runs()) process.kill(pid, 'SIGKILL');
}

/** Field 22 of /proc/PID/stat; undefined when there is no such process or it is a zombie. */
function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
