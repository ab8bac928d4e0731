import { join } from 'node:path';
import { type Clock, type Logger, openRecordFile, type RecordFile, type RecordFileLimits } from '@bloomery/ports';
import { type MachineLogLimits, type MachineLogs, openMachineLogs } from './machine-logs.ts';

/** Where kernel lines are kept: all in one file, and the newest of each machine. */
export interface LogStore extends AsyncDisposable {
  /**
   * Keep a line, which is on disk within a second.
   *
   * @param server Whose it is; undefined for a sender that is no machine of ours.
   * @returns false: call again after `drained()`.
   */
  write(line: string, server: string | undefined): boolean;
  drained(): Promise<void>;
  /** All lines as they are written by the upstream container `serverlogs`. */
  readonly all: Pick<RecordFile, 'flushed' | 'counts' | 'problem'> & {
    readonly file: string;
    readonly oldFiles: number;
  };
  readonly machines: Omit<MachineLogs, 'write' | 'drained'>;
  /** Calls back, often, when lines were taken; they may not be on disk yet. The returned function ends that. */
  onLines(listener: () => void): () => void;
}

/** Where the store is, and what it needs. */
export interface LogStoreOptions {
  /** The folder for `serverlogs.jsonl` and `machines/`. */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits?: { readonly all?: Partial<RecordFileLimits>; readonly machines?: Partial<MachineLogLimits> };
}

/** Files beside `serverlogs.jsonl`: with it 1.25 GiB. */
const OLD_FILES = 4;

/** Open the store of kernel lines. A full disk loses lines, which is counted and said once; nothing else stops. */
export function openLogStore(options: LogStoreOptions): LogStore {
  const { dir, clock, log, limits = {} } = options;
  const file = join(dir, 'serverlogs.jsonl');
  const allLimits = { oldFiles: OLD_FILES, ...limits.all };
  const all = openRecordFile({ file, name: 'serverlogs', clock, log, limits: allLimits });
  const machines = openMachineLogs({ dir: join(dir, 'machines'), clock, log, limits: limits.machines ?? {} });
  const listeners = new Set<() => void>();
  return {
    write(line, server) {
      const fits = all.write(line);
      const fitsToo = server === undefined || machines.write(server, line);
      for (const listener of listeners) listener();
      return fits && fitsToo;
    },
    async drained() {
      await Promise.all([all.drained(), machines.drained()]);
    },
    all: {
      file,
      oldFiles: allLimits.oldFiles,
      flushed: () => all.flushed(),
      counts: all.counts,
      get problem() {
        return all.problem;
      },
    },
    machines,
    onLines(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([all[Symbol.asyncDispose](), machines[Symbol.asyncDispose]()]);
    },
  };
}
