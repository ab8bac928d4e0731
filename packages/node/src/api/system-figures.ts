/** Clock ticks that /proc/stat counts per second, on every architecture that Linux has today. */
const TICKS_PER_SECOND = 100;
const MAX_CPUS = 4_096;

/** /proc/loadavg. Zeros for anything else. */
export function parseLoadAverage(text: string): {
  readonly load1: number;
  readonly load5: number;
  readonly load15: number;
} {
  const [load1 = 0, load5 = 0, load15 = 0] = text.split(' ', 3).map((part) => Number.parseFloat(part) || 0);
  return { load1, load5, load15 };
}

/** /proc/meminfo: keys in lower case without signs (`active(anon)` is `activeanon`), in KiB. */
export function parseMemory(text: string): Readonly<Record<string, bigint>> {
  const lines = [...text.matchAll(/^([A-Za-z0-9_()]{1,40}):\s{1,40}(\d{1,18})(?: kB)?$/gm)];
  return Object.fromEntries(
    lines.map(([, key = '', value = '0']) => [key.toLowerCase().replaceAll(/[_()]/g, ''), BigInt(value)]),
  );
}

/** /proc/stat. What is missing is zero. */
export function parseSystemStat(text: string) {
  const rows = new Map(text.split('\n', MAX_CPUS).map((line) => [line.split(' ', 1)[0] ?? '', numbers(line)]));
  const one = (key: string): bigint => rows.get(key)?.[0] ?? 0n;
  const cpus = [...rows].filter(([key]) => /^cpu\d+$/.test(key)).map(([, values]) => cpuOf(values));
  const [irqTotal = 0n, ...irq] = rows.get('intr') ?? [];
  const soft = rows.get('softirq') ?? [];
  return {
    bootTime: one('btime'),
    cpuTotal: cpuOf(rows.get('cpu') ?? []),
    cpu: cpus,
    irqTotal,
    irq,
    contextSwitches: one('ctxt'),
    processCreated: one('processes'),
    processRunning: one('procs_running'),
    processBlocked: one('procs_blocked'),
    softIrqTotal: soft[0] ?? 0n,
    softIrq: softIrqOf(soft.slice(1)),
  };
}

const numbers = (line: string): bigint[] =>
  [...line.matchAll(/ (\d{1,19})(?= |$)/g)].map(([, digits = '0']) => BigInt(digits));

const CPU_KEYS = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softIrq', 'steal', 'guest', 'guestNice'];
const SOFT_KEYS = ['hi', 'timer', 'netTx', 'netRx', 'block', 'blockIoPoll', 'tasklet', 'sched', 'hrtimer', 'rcu'];

/** Seconds. */
const cpuOf = (ticks: readonly bigint[]): Readonly<Record<string, number>> =>
  Object.fromEntries(CPU_KEYS.map((key, at) => [key, Number(ticks[at] ?? 0n) / TICKS_PER_SECOND]));

const softIrqOf = (counts: readonly bigint[]): Readonly<Record<string, bigint>> =>
  Object.fromEntries(SOFT_KEYS.map((key, at) => [key, counts[at] ?? 0n]));
