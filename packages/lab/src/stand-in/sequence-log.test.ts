import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SequenceEvent } from '@bloomery/talos';
import { createSequenceLog } from './sequence-log.ts';

const started = (sequence: string): SequenceEvent => ({ sequence, action: 'START', error: undefined });

it('sequences are told with those of before, or only as they come', async () => {
  const log = createSequenceLog();
  log.note(started('initialize'));
  const stop = new AbortController();
  const read = async (past: boolean, count: number): Promise<string[]> => {
    const seen: string[] = [];
    for await (const { sequence } of log.follow(stop.signal, { past })) {
      seen.push(sequence);
      if (seen.length === count) break;
    }
    return seen;
  };
  const [all, fresh] = [read(true, 2), read(false, 1)];
  await new Promise(setImmediate);
  log.note(started('boot'));
  assert.deepEqual([await all, await fresh], [['initialize', 'boot'], ['boot']]);
  const nobody = read(false, 1);
  stop.abort();
  assert.deepEqual(await nobody, []);
});
