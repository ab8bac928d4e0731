/**
 * Runs the project's tests and ends with `N passed, N failed`.
 * usage: run-tests.ts unit|vectors|e2e|all
 * Property tests draw from a seed, so that a run can be repeated: 1, or SEED=N, or a new one with SEED=random.
 * Unit tests run two files at a time; `*.peer.test.ts` (real peers, network namespaces) and e2e/ run one after the other.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Group {
  readonly title: string;
  readonly files: readonly string[];
  readonly concurrency: number;
  readonly timeoutMs: number;
}

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

const root = join(import.meta.dirname, '..');
/** A group that takes longer hangs: it is ended, and counts as failed. */
const GROUP_TIMEOUT_MS = 40 * 60_000;
const SEED = process.env['SEED'] === 'random' ? String(randomInt(2 ** 31)) : (process.env['SEED'] ?? '1');
const find = (pattern: string): string[] => globSync(pattern, { cwd: root }).sort();
const all = find('packages/*/src/**/*.test.ts');
const isPeer = (file: string): boolean => file.endsWith('.peer.test.ts');
const isVector = (file: string): boolean => file.endsWith('.vectors.test.ts');

const groups: Record<string, Group> = {
  unit: { title: 'unit', files: all.filter((f) => !isPeer(f) && !isVector(f)), concurrency: 2, timeoutMs: 180_000 },
  vectors: { title: 'vectors', files: all.filter(isVector), concurrency: 2, timeoutMs: 300_000 },
  peers: { title: 'real peers', files: all.filter(isPeer), concurrency: 1, timeoutMs: 300_000 },
  journey: {
    title: 'two machines, whole journey',
    files: find('e2e/journey.test.ts'),
    concurrency: 1,
    timeoutMs: 900_000,
  },
  network: {
    title: 'one machine, networks that this kernel may lack',
    files: find('e2e/network.test.ts'),
    concurrency: 1,
    timeoutMs: 900_000,
  },
  e2e: { title: 'e2e', files: find('e2e/*.test.ts'), concurrency: 1, timeoutMs: 2_400_000 },
};
const plans: Record<string, readonly string[]> = {
  unit: ['unit', 'vectors'],
  vectors: ['vectors'],
  e2e: ['e2e'],
  all: ['unit', 'vectors', 'peers', 'journey', 'network'],
};

function run(group: Group, scratch: string, totals: Totals): void {
  if (group.files.length === 0) return;
  const out = join(scratch, 'summary.jsonl');
  console.log(`\n== ${group.title}: ${group.files.length} files, seed ${SEED}`);
  const result = spawnSync(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      `--import=${join(root, 'scripts/property-seed.ts')}`,
      '--test',
      `--test-concurrency=${group.concurrency}`,
      `--test-timeout=${group.timeoutMs}`,
      '--test-reporter=dot',
      '--test-reporter-destination=stdout',
      `--test-reporter=${join(root, 'scripts/summary-reporter.ts')}`,
      `--test-reporter-destination=${out}`,
      ...group.files,
    ],
    // What tests leave behind goes with the scratch folder.
    {
      cwd: root,
      stdio: 'inherit',
      timeout: GROUP_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      env: { ...process.env, SEED, TMPDIR: scratch, XDG_STATE_HOME: join(scratch, 'state') },
    },
  );
  let counted = false;
  for (const line of readFileSync(out, 'utf8').split('\n').filter(Boolean)) {
    const entry = JSON.parse(line);
    if (entry.failed !== undefined) console.log(`FAILED   ${entry.file ?? ''}: ${entry.failed}`);
    if (entry.skipped !== undefined) console.log(`skipped  ${entry.skipped}: ${entry.why}`);
    if (entry.counts === undefined) continue;
    counted = true;
    totals.passed += entry.counts.passed;
    totals.failed += entry.counts.failed + entry.counts.cancelled;
    totals.skipped += entry.counts.skipped;
  }
  if (!counted || (result.status !== 0 && totals.failed === 0)) totals.failed += 1;
}

const plan = plans[process.argv[2] ?? 'all'];
if (plan === undefined) {
  console.error(`run-tests: unknown group; try one of ${Object.keys(plans).join(', ')}`);
  process.exit(2);
}
const scratch = mkdtempSync(join(tmpdir(), 'blm-'));
const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
for (const name of plan) {
  const group = groups[name];
  if (group !== undefined) run(group, scratch, totals);
}
rmSync(scratch, { recursive: true, force: true });
if (totals.skipped > 0) console.log(`${totals.skipped} skipped, each with its reason above`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;
