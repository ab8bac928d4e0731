import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLog, systemClock } from '@bloomery/ports';
import { type ApiObject, asApiObject } from '../api-object.ts';
import { openStore, type StoreOptions } from '../store/open-store.ts';
import type { ObjectId, Store } from '../store/store.ts';

/** Open the store of a directory with real time and randomness. */
export function openTestStore(dir: string, options: Partial<StoreOptions> = {}): Store {
  return openStore({ dir, clock: systemClock, log: silentLog, random: (n) => randomBytes(n), ...options });
}

/** Put an object with some text into a store. */
export function putText(store: Store, name: string, text: string, resource = 'things'): Promise<ApiObject> {
  const id: ObjectId = { resource, namespace: 'n', name };
  return store.put(id, (resourceVersion) =>
    asApiObject({ apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace: 'n', resourceVersion }, text }),
  );
}

/** A directory that goes with the test. */
export function testDirectory(t: TestContext, prefix = 'bloomery-test-'): string {
  const dir = mkdtempSync(join(tmpdir(), prefix));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** The files of an open store as a process leaves them that is killed now: a copy of the directory. */
export function killedCopy(t: TestContext, dir: string): string {
  const copy = testDirectory(t, 'bloomery-killed-');
  cpSync(dir, copy, { recursive: true });
  return copy;
}

/** A directory on a file system of its own, 4 MiB in memory; undefined, with the test skipped, where that cannot be. */
export function smallDisk(t: TestContext): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'bloomery-test', dir], { encoding: 'utf8' });
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', [dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  if (mounted.status === 0) return dir;
  t.skip(`a small file system cannot be mounted here: ${mounted.stderr.trim()}`);
  return undefined;
}

/** Make a file system of smallDisk read-only, or writable again. */
export function remount(dir: string, mode: 'ro' | 'rw'): void {
  const done = spawnSync('mount', ['-o', `remount,${mode}`, dir], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`remounting ${dir}: ${done.stderr}`);
}
