import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { type JsonCaller, jsonCaller, part } from '../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const EVENTS = '/api/v1/namespaces/default/events';
const HOUR_MS = 3_600_000;
const START = Date.parse('2026-01-01T00:00:00Z');

describe('Events', () => {
  const clock = createFakeClock(START);
  let api: TestApi;
  let call: JsonCaller;
  before(async () => {
    api = await startTestApi([], silentLog, { clock });
    call = jsonCaller(api);
  });
  after(() => api[Symbol.asyncDispose]());

  it('are forgotten a week after they were seen last, with a DELETED event', async () => {
    const seen = (days: number): string => new Date(START + days * 24 * HOUR_MS).toISOString().slice(0, 19).concat('Z');
    const events: readonly (readonly [name: string, times: JsonObject])[] = [
      ['once', {}],
      ['again', { firstTimestamp: seen(0), lastTimestamp: seen(3) }],
      [
        'series',
        {
          eventTime: seen(0).replace('Z', '.000000Z'),
          ...{ reportingComponent: 'test', reportingInstance: 'test-1', action: 'Look' },
          series: { count: 2, lastObservedTime: seen(4).replace('Z', '.000000Z') },
        },
      ],
    ];
    for (const [name, times] of events) {
      const involvedObject = { kind: 'ConfigMap', name: 'x', namespace: 'default' };
      const { code, body } = await call('POST', EVENTS, { metadata: { name }, involvedObject, reason: 'R', ...times });
      assert.equal(code, 201, JSON.stringify(body));
    }
    const gone: string[] = [];
    api.engine.store.subscribe((changes) =>
      gone.push(...changes.filter((c) => c.type === 'delete').map((c) => c.id.name)),
    );
    const left = async () => {
      await api.engine.store.settled();
      const { items } = (await call('GET', EVENTS)).body;
      return Array.isArray(items) ? items.map((o) => part(o, 'metadata', 'name')) : [];
    };
    await clock.advance(6 * 24 * HOUR_MS);
    assert.deepEqual(await left(), ['again', 'once', 'series']);
    await clock.advance(25 * HOUR_MS);
    assert.deepEqual([await left(), gone], [['again', 'series'], ['once']]);
    await clock.advance(3 * 24 * HOUR_MS);
    assert.deepEqual(await left(), ['series']);
    await clock.advance(24 * HOUR_MS);
    assert.deepEqual(await left(), []);
  });
});
