/** One measured figure: ours, what it is compared with, and the ratio that must be reached. */
export interface BenchResult {
  readonly name: string;
  readonly unit: string;
  /** Median of the runs. */
  readonly ours: number;
  readonly peer?: { readonly name: string; readonly value: number };
  /** ours / peer, or ours itself where there is no peer, must be at least (or, for `atMost`, at most) this. */
  readonly target?: { readonly atLeast?: number; readonly atMost?: number };
  readonly note?: string;
}

/** What was compared with the target: the ratio to the peer where there is one. */
export function benchRatio({ ours, peer }: BenchResult): number {
  return peer === undefined ? ours : ours / peer.value;
}

/** Whether the figure reaches its target; true where there is none. */
export function reachesTarget(result: BenchResult): boolean {
  const { atLeast = -Infinity, atMost = Infinity } = result.target ?? {};
  const ratio = benchRatio(result);
  return ratio >= atLeast && ratio <= atMost;
}

/** The middle value; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** The results as a table for a terminal. */
export function benchTable(results: readonly BenchResult[]): string {
  const rows = results.map((result) => {
    const { atLeast, atMost } = result.target ?? {};
    const target = atLeast !== undefined ? `>= ${atLeast}` : atMost !== undefined ? `<= ${atMost}` : '-';
    return [
      result.name,
      `${short(result.ours)} ${result.unit}`,
      result.peer === undefined ? '-' : `${result.peer.name} ${short(result.peer.value)}`,
      result.peer === undefined ? '-' : benchRatio(result).toFixed(2),
      target,
      reachesTarget(result) ? 'ok' : 'MISSED',
      result.note ?? '',
    ];
  });
  const all = [['FIGURE', 'OURS', 'PEER', 'RATIO', 'TARGET', '', ''], ...rows];
  const widths = all[0]?.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0))) ?? [];
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function short(value: number): string {
  return value >= 100 ? Math.round(value).toString() : value.toPrecision(3);
}
