import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createEventCounts } from '@bloomery/plane';
import { Registry } from 'prom-client';
import { addEventMetrics } from './event-metrics.ts';

describe('metrics of machine events', () => {
  it('are what was counted, for every type and reason', async () => {
    const registry = new Registry();
    const counts = createEventCounts();
    addEventMetrics([registry], counts);
    counts.received.AddressEvent = 3;
    counts.received.other = 1;
    counts.refused.unknown_source = 2;
    counts.repeated = 4;
    for (let twice = 0; twice < 2; twice++) {
      const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      assert.equal(lines.length, 10 + 4 + 1);
      assert.deepEqual(
        lines.filter((line) => !line.endsWith(' 0')),
        [
          'bloomery_siderolink_events_total{type="AddressEvent"} 3',
          'bloomery_siderolink_events_total{type="other"} 1',
          'bloomery_siderolink_events_refused_total{reason="unknown_source"} 2',
          'bloomery_siderolink_events_repeated_total 4',
        ],
      );
    }
  });
});
