import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BloomeryError, createFakeClock, type Logger, silentLog } from '@bloomery/ports';
import { createEventRecorder } from './record-events.ts';
import { createMemoryClient } from './testing/memory-client.ts';

const about = { apiVersion: 'x/v1', kind: 'Ox', metadata: { name: 'o', namespace: 'n', uid: 'u' } };

async function levelsOf(error: BloomeryError): Promise<readonly string[]> {
  const levels: string[] = [];
  const log: Logger = {
    ...silentLog,
    debug: () => levels.push('debug'),
    warn: () => levels.push('warn'),
    with: () => log,
  };
  const client = createMemoryClient({
    intercept: () => {
      throw error;
    },
  });
  const recorder = createEventRecorder({ client, clock: createFakeClock(0), log, component: 'test' });
  recorder.record(about, { type: 'Normal', reason: 'Gone', message: 'it is gone' });
  await recorder.flush();
  return levels;
}

describe('an Event that cannot be written', () => {
  it('is a warning', async () => {
    assert.deepEqual(await levelsOf(new BloomeryError('BLM_API_FORBIDDEN', 'you may not')), ['warn']);
  });

  it('is none in a namespace that goes: its objects take their Events along', async () => {
    const why = 'events "o.1" is forbidden: unable to create new content in namespace n because it is being terminated';
    assert.deepEqual(await levelsOf(new BloomeryError('BLM_API_FORBIDDEN', why)), ['debug']);
  });
});
