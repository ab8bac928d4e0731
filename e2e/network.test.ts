import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bloomeryCacheDir, buildNetworkGuest, runNetworkGuest } from '../packages/lab/src/index.ts';
import { say } from './testing.ts';

/** One case as the guest reports it. */
interface CaseResult {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

const GUEST_PROGRAM = 'e2e/network-guest/main.ts';
/** Skips there what a kernel lacks; the guest's lacks nothing. */
const KERNEL_TEST = 'packages/node/src/kernel/link-kinds.netns.test.ts';
const DEADLINE_MS = 600_000;

describe('bloomery node on a machine whose kernel has everything', { timeout: DEADLINE_MS + 60_000 }, async () => {
  const peersDir = join(bloomeryCacheDir(process.env), 'peers');
  const missing = [
    ['/usr/bin/qemu-system-x86_64', 'QEMU'],
    [join(peersDir, 'talosctl'), 'talosctl'],
  ].find(([path = '']) => !existsSync(path));
  if (missing !== undefined) {
    it('runs all cases', { skip: `${missing[1]} is missing; run make setup` }, () => {});
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-guest-'));
  const consoleLog = join(dir, 'console.log');
  const sourceDir = join(import.meta.dirname, '..');
  const results: CaseResult[] = [];
  const bundleDir = join(dir, 'bundle');
  execFileSync(process.execPath, [join(sourceDir, 'scripts/bundle.ts'), bundleDir, KERNEL_TEST]);
  // Native parts are found from the guest's place of the source tree.
  symlinkSync('/repo/node_modules', join(bundleDir, 'node_modules'));
  const image = await buildNetworkGuest({
    cacheDir: bloomeryCacheDir(process.env),
    sourceDir,
    program: GUEST_PROGRAM,
  });
  const code = await runNetworkGuest({
    image,
    sourceDir,
    peersDir,
    bundleDir,
    consoleLog,
    signal: AbortSignal.timeout(DEADLINE_MS),
    onLine: (line) => {
      const result = readResult(line);
      if (result === undefined) return say(`guest: ${line.slice(0, 200)}`);
      say(`guest: ${result.ok ? 'ok' : 'FAILED'} ${result.name}`);
      results.push(result);
    },
  });
  for (const { name, ok, detail } of results) it(name, () => assert.ok(ok, detail));
  it('ran to its end', () => {
    const tail = readFileSync(consoleLog, 'utf8').slice(-4000);
    assert.equal(code, 0, tail);
    assert.match(tail, /guest: the program ended with 0/, tail);
    assert.ok(results.length > 0, tail);
    rmSync(dir, { recursive: true });
  });
});

function readResult(line: string): CaseResult | undefined {
  try {
    const { name, ok, detail } = JSON.parse(line) as Partial<CaseResult>;
    return typeof name === 'string' && typeof ok === 'boolean' ? { name, ok, detail: String(detail) } : undefined;
  } catch {
    return undefined;
  }
}
