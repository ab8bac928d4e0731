import { type KeptLine, linesOfMachine } from './log-lines.ts';
import { readSeries, type Series, type SeriesReader } from './series-reader.ts';

/** A machine of which lines are wanted. */
export interface WantedMachine {
  /** Name of the Server. */
  readonly server: string;
  /** Only lines with higher stamps. */
  readonly afterStamp: number;
}

/** Reads the files of several machines as one, in order of receipt. */
export interface MergedMachines extends AsyncDisposable {
  /** From now on these machines; those that were read before go on where they were. */
  want(machines: readonly WantedMachine[]): Promise<void>;
  /** The next lines up to a stamp, in order; undefined when there are none for now. */
  read(untilStamp: number): Promise<readonly KeptLine[] | undefined>;
}

interface Source {
  readonly reader: SeriesReader;
  readonly afterStamp: number;
  lines: readonly KeptLine[];
  lastStamp: number;
  /** There was nothing more when it was last looked. */
  isDry: boolean;
}

/** Make the reader. Of each machine it holds one part of its file at a time. */
export function mergeMachines(seriesOf: (server: string) => Series | undefined): MergedMachines {
  const sources = new Map<string, Source>();

  /** Fill up what is empty; a part of which no line is wanted is followed by the next. */
  async function fill(source: Source): Promise<void> {
    while (source.lines.length === 0 && !source.isDry) {
      const part = await source.reader.read();
      if (part === undefined) source.isDry = true;
      else source.lines = rising(source, linesOfMachine(part)).filter(({ stamp }) => stamp > source.afterStamp);
    }
  }

  return {
    async want(machines) {
      const wanted = new Set(machines.map(({ server }) => server));
      for (const [server, source] of sources) {
        if (wanted.has(server)) continue;
        sources.delete(server);
        await source.reader[Symbol.asyncDispose]();
      }
      for (const { server, afterStamp } of machines) {
        const series = seriesOf(server);
        if (sources.has(server) || series === undefined) continue;
        sources.set(server, { reader: readSeries(series), afterStamp, lines: [], lastStamp: 0, isDry: false });
      }
    },
    async read(untilStamp) {
      const all = [...sources.values()];
      for (const source of all) await fill(source);
      // Lines up to here are all in memory: what a machine has not given yet is newer than its last line.
      const known = all.flatMap(({ lines, isDry }) => (isDry ? [] : (lines.at(-1)?.stamp ?? [])));
      const until = Math.min(untilStamp, ...known);
      const taken: KeptLine[] = [];
      for (const source of all) {
        const count = countUntil(source.lines, until);
        taken.push(...source.lines.slice(0, count));
        source.lines = source.lines.slice(count);
      }
      if (taken.length > 0) return taken.sort((a, b) => a.stamp - b.stamp);
      for (const source of all) source.isDry = false;
      return undefined;
    },
    async [Symbol.asyncDispose]() {
      for (const { reader } of sources.values()) await reader[Symbol.asyncDispose]();
      sources.clear();
    },
  };
}

/** A machine's own lines are in order, whatever happened to the clock. */
function rising(source: Source, lines: readonly KeptLine[]): readonly KeptLine[] {
  return lines.map((line) => {
    source.lastStamp = Math.max(source.lastStamp, line.stamp);
    return line.stamp === source.lastStamp ? line : { ...line, stamp: source.lastStamp };
  });
}

function countUntil(lines: readonly KeptLine[], until: number): number {
  const behind = lines.findIndex(({ stamp }) => stamp > until);
  return behind < 0 ? lines.length : behind;
}
