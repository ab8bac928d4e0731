import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Explanation, explanation } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import { startApiEngine } from '../api-engine.ts';
import { openStore } from '../store/open-store.ts';
import { computedResource } from './resource.ts';

const random = (length: number): Uint8Array => randomBytes(length);
const about = { kind: 'Server', name: 's' };
const object: Explanation = {
  apiVersion: 'insight.bloomery.dev/v1alpha1',
  kind: 'Explanation',
  metadata: { name: 'server.s', namespace: 'default' },
  about,
  healthy: true,
};

describe('a computed resource', () => {
  it('is read like any other and cannot be written', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'bloomery-api-'));
    const store = openStore({ dir, clock: systemClock, log: silentLog, random });
    const engine = await startApiEngine({ store, kinds: [], clock: systemClock, log: silentLog, random });
    const { client, registry } = engine;
    registry.set(
      computedResource({
        kind: explanation,
        list: (namespace) => (namespace === undefined || namespace === 'default' ? [object] : []),
        get: (key) => (key.name === 'server.s' ? object : undefined),
      }),
    );
    assert.deepEqual(await client.get(explanation, { name: 'server.s', namespace: 'default' }), object);
    assert.deepEqual((await client.list(explanation)).items, [object]);
    assert.deepEqual((await client.list(explanation, { namespace: 'other' })).items, []);
    assert.deepEqual((await client.list(explanation, { fields: 'metadata.name=other' })).items, []);
    await assert.rejects(client.get(explanation, { name: 'x', namespace: 'default' }), { code: 'BLM_API_NOT_FOUND' });
    await assert.rejects(client.create(explanation, object), { code: 'BLM_API_METHOD_NOT_ALLOWED' });
    engine.stop();
    await store.close();
  });
});
