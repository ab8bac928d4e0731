import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog, systemClock } from '@bloomery/ports';
import { createWatchHub } from '../watch/watch-hub.ts';
import { watchStream } from '../watch/watch-stream.ts';
import { openStore } from './open-store.ts';
import type { Change, Store } from './store.ts';

/** Rounds go on until so many writes were acknowledged. */
const WRITES = 1_000;
/** At least. */
const ROUNDS = 8;
const random = (length: number): Uint8Array => randomBytes(length);
const history = { keepRevisions: 500, keepMs: 0, keepBytes: 0 };
const open = (dir: string): Store => openStore({ dir, clock: systemClock, log: silentLog, random, ...history });

/** An acknowledged write, as the killed process printed it. */
interface Acknowledged {
  readonly worker: string;
  readonly resource: string;
  readonly number: number;
  readonly rev: number;
  readonly isGone: boolean;
}

interface Run {
  readonly acknowledged: readonly Acknowledged[];
  /** The last number that each worker began. */
  readonly sent: ReadonlyMap<string, number>;
}

/** Let a process write, and kill it `delayMs` after its first word. */
async function writeAndKill(dir: string, first: number, delayMs: number): Promise<Run> {
  const writer = join(import.meta.dirname, '../testing/store-writer.ts');
  const child = spawn(process.execPath, [writer, dir, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const exited = new Promise((resolve) => child.once('close', resolve));
  const began = new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      resolve();
    });
  });
  await Promise.race([began, exited]);
  await delay(delayMs);
  child.kill('SIGKILL');
  await exited;
  const acknowledged: Acknowledged[] = [];
  const sent = new Map<string, number>();
  for (const line of text.split('\n').slice(0, -1)) {
    const [what, worker = '', number = '', resource = '', rev = ''] = line.split(' ');
    if (what === 'sent') sent.set(worker, Number(number));
    else {
      const isGone = rev.startsWith('gone@');
      acknowledged.push({ worker, number: Number(number), resource, rev: Number(rev.replace('gone@', '')), isGone });
    }
  }
  return { acknowledged, sent };
}

const numberOf = (change: Change | undefined): unknown => change?.object['number'];

/** Every acknowledged write that the history still reaches is in it, once, as it was. */
function requireInHistory(store: Store, { acknowledged }: Run): void {
  const changes = store.changesSince(store.compactRevision);
  const byRev = new Map(changes.map((change) => [change.rev, change]));
  assert.equal(byRev.size, changes.length, 'no revision twice');
  assert.ok(
    changes.every((change, i) => change.rev > (changes[i - 1]?.rev ?? store.compactRevision)),
    'in order',
  );
  for (const { rev, number, resource, isGone } of acknowledged) {
    if (rev <= store.compactRevision) continue;
    const change = byRev.get(rev);
    assert.deepEqual(
      [change?.id.resource, change?.type, numberOf(change)],
      [resource, isGone ? 'delete' : 'put', number],
    );
    assert.equal(change?.object.metadata.resourceVersion, String(rev));
  }
}

/** Every object is as its last acknowledged write left it, or as the one write left it that was on its way. */
function requireState(store: Store, { acknowledged, sent }: Run): void {
  const last = new Map<string, Acknowledged>();
  for (const write of acknowledged) last.set(`${write.resource} ${write.worker}`, write);
  for (const { worker, resource, rev, number, isGone } of last.values()) {
    const id = { resource, namespace: `n${Number(worker) % 3}`, name: `w${worker}` };
    const found = store.get(id);
    const isNext = found === undefined || Number(found.metadata.resourceVersion) > rev;
    if (found !== undefined && !isNext)
      assert.deepEqual([found.metadata.resourceVersion, found['number']], [String(rev), number]);
    if (isGone ? found === undefined : !isNext) continue;
    assert.ok((sent.get(worker) ?? 0) > number, `${resource} ${worker} changed after ${number} without being sent`);
    if (found !== undefined) assert.equal(found['number'], sent.get(worker));
  }
}

/** The three writes of a worker's turn are all there or none is. */
function requireWholeTurns(store: Store): void {
  const numbers = (resource: string): readonly string[] =>
    store.list(resource).map((o) => `${o.metadata.name} ${String(o['number'])}`);
  assert.deepEqual(numbers('left.example.dev'), numbers('configmaps'));
  assert.deepEqual(numbers('secrets'), numbers('configmaps'));
}

async function requireWatches(store: Store): Promise<void> {
  const hub = createWatchHub(store);
  const stop = new AbortController();
  const interest = { resource: 'secrets', namespace: undefined, selects: () => true };
  const watch = (after: number) =>
    watchStream(store, hub, {
      interest,
      after,
      initialEvents: true,
      markInitialEnd: false,
      bookmarks: undefined,
      schedule: systemClock.after,
      signal: stop.signal,
    });
  const { compactRevision } = store;
  if (compactRevision > 1) await assert.rejects(watch(compactRevision - 1).next(), { code: 'BLM_API_EXPIRED' });
  const changes = store.changesSince(compactRevision).filter((c) => c.id.resource === 'secrets');
  for (const from of [compactRevision, changes[Math.trunc(changes.length / 2)]?.rev ?? store.revision]) {
    const wanted = changes.filter((c) => c.rev > from).map((c) => c.rev);
    const seen: number[] = [];
    const reader = watch(from);
    while (seen.length < wanted.length) {
      const { value } = await reader.next();
      if (value?.kind === 'event') seen.push(value.event.rev);
    }
    assert.deepEqual(seen, wanted);
  }
  stop.abort();
}

describe('a killed store', () => {
  it('has every acknowledged write after kill -9, no half turn, no revision twice, and watches go on', async (t) => {
    const seed = Number(process.env['SEED'] ?? randomInt(2 ** 31));
    t.diagnostic(`seed ${seed}`);
    const dir = mkdtempSync(join(tmpdir(), 'bloomery-crash-'));
    let highest = 1;
    let next = 1;
    let writes = 0;
    let rounds = 0;
    // A busy machine writes less in a round.
    for (; rounds < ROUNDS || writes < WRITES; rounds++) {
      const run = await writeAndKill(dir, next, (Math.imul(seed + rounds, 0x9e37_79b1) >>> 0) % 250);
      writes += run.acknowledged.length;
      for (const { rev } of run.acknowledged) assert.ok(rev > highest, `revision ${rev} again, ${highest} was there`);
      const store = open(dir);
      assert.ok(run.acknowledged.every(({ rev }) => rev <= store.revision));
      requireInHistory(store, run);
      requireState(store, run);
      requireWholeTurns(store);
      await requireWatches(store);
      highest = store.revision;
      next = Math.max(next, ...run.sent.values()) + 1;
      await store.close();
    }
    t.diagnostic(`${writes} acknowledged writes in ${rounds} rounds`);
    rmSync(dir, { recursive: true, force: true });
  });
});
