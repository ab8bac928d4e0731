import { mkdtempSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchResult, median } from './bench-result.ts';
import { startOurs, startTheirs, whyNoPeers } from './kube-api/bench-servers.ts';
import { type BenchSize, type Figures, FULL_SIZE, measureServer } from './kube-api/measure.ts';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 3);
const PEER = 'apiserver+etcd';

/** A figure of the table: which one it is, and the ratio to the peer that must be reached. */
interface Row {
  readonly figure: string;
  readonly name: string;
  readonly unit: string;
  readonly target?: BenchResult['target'];
  /** The target is about our figure alone. */
  readonly absolute?: true;
}

const ROWS: readonly Row[] = [
  { figure: 'createPerS', name: 'creates', unit: '/s', target: { atLeast: 3 } },
  { figure: 'createP50Ms', name: 'create p50', unit: 'ms' },
  { figure: 'createP99Ms', name: 'create p99', unit: 'ms', target: { atMost: 1 } },
  { figure: 'createCpuMicros', name: 'CPU of a create', unit: 'µs' },
  { figure: 'patchPerS', name: 'status merge patches', unit: '/s', target: { atLeast: 3 } },
  { figure: 'patchP50Ms', name: 'status patch p50', unit: 'ms' },
  { figure: 'patchP99Ms', name: 'status patch p99', unit: 'ms' },
  { figure: 'patchCpuMicros', name: 'CPU of a status patch', unit: 'µs' },
  { figure: 'getPerS', name: 'gets', unit: '/s' },
  { figure: 'listMs', name: 'list of all', unit: 'ms', target: { atMost: 0.4 } },
  { figure: 'listByLabelMs', name: 'list by label, 250 of all', unit: 'ms' },
  { figure: 'listPagedMs', name: 'list in pages of 500', unit: 'ms' },
  { figure: 'watchEventsPerS', name: 'events to 50 watchers', unit: '/s', target: { atLeast: 2 } },
  { figure: 'watchP50Ms', name: 'event latency p50', unit: 'ms' },
  { figure: 'watchP99Ms', name: 'event latency p99', unit: 'ms', target: { atMost: 0.5 } },
  { figure: 'contendPerS', name: 'contended read-modify-writes', unit: '/s' },
  { figure: 'http2PatchPerS', name: 'status merge patches, HTTP/2', unit: '/s' },
  { figure: 'http2PatchP99Ms', name: 'status patch p99, HTTP/2', unit: 'ms' },
  { figure: 'http2GetPerS', name: 'gets, HTTP/2', unit: '/s' },
  { figure: 'deleteAllS', name: 'delete of the collection', unit: 's' },
  { figure: 'emptyMiB', name: 'resident, empty', unit: 'MiB', target: { atMost: 150 }, absolute: true },
  { figure: 'loadedMiB', name: 'resident, 10,000 objects', unit: 'MiB', target: { atMost: 0.3 } },
  { figure: 'endMiB', name: 'resident, after watches and HTTP/2', unit: 'MiB', target: { atMost: 0.3 } },
  { figure: 'idlePercent', name: 'idle CPU of a core', unit: '%', target: { atMost: 0.3 }, absolute: true },
  { figure: 'readyFullMs', name: 'ready with all objects', unit: 'ms', target: { atMost: 1000 }, absolute: true },
];

/**
 * The Kubernetes API of `bloomery serve` against kube-apiserver with etcd, by one load tool: 10,000 Server-like objects, 8 writers
 * over HTTP/1.1 with TLS, as a user whom RBAC lets in. Only one of the two runs at a time, in turns.
 */
export async function benchKubeApi(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const why = whyNoPeers();
  if (why !== undefined) say(`kube-api: without the peer: ${why}`);
  const ours: Figures[] = [];
  const theirs: Figures[] = [];
  const size: BenchSize = { ...FULL_SIZE, ...(JSON.parse(process.env['BENCH_SIZE'] ?? '{}') as Partial<BenchSize>) };
  for (let round = 1; round <= ROUNDS; round++) {
    const tell = (who: string) => (line: string) =>
      say(`kube-api: round ${round} of ${ROUNDS}, load ${loadavg()[0]?.toFixed(2)}, ${who}: ${line}`);
    const dir = (): string => mkdtempSync(join(tmpdir(), 'bench-kube-'));
    ours.push(await measureServer(startOurs, dir(), size, tell('ours')));
    if (why === undefined) theirs.push(await measureServer(startTheirs, dir(), size, tell(PEER)));
  }
  const middle = (all: readonly Figures[], figure: string): number => median(all.map((f) => f[figure] ?? Number.NaN));
  return ROWS.map(({ figure, name, unit, target, absolute }): BenchResult => {
    const value = middle(ours, figure);
    const row = { name, unit, ours: value, ...(target === undefined ? {} : { target }) };
    if (theirs.length === 0) return absolute === true ? row : { name, unit, ours: value };
    const peer = { name: PEER, value: middle(theirs, figure) };
    if (absolute !== true) return { ...row, peer };
    return { ...row, note: `${PEER}: ${peer.value.toPrecision(3)} ${unit}` };
  });
}
