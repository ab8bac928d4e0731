import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogCounts } from '@bloomery/plane';
import { Registry } from 'prom-client';
import { addLogMetrics } from './log-metrics.ts';

describe('metrics of kernel logs', () => {
  it('are what was counted, for every reason to drop', async () => {
    const registry = new Registry();
    const counts = createLogCounts();
    addLogMetrics([registry], counts);
    counts.lines = 7;
    counts.dropped.rate = 2;
    counts.connections = 1;
    for (let twice = 0; twice < 2; twice++) {
      const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      assert.equal(lines.length, 1 + Object.keys(counts.dropped).length + 1);
      assert.deepEqual(
        lines.filter((line) => !line.endsWith(' 0')),
        ['bloomery_log_lines_total 7', 'bloomery_log_dropped_total{reason="rate"} 2', 'bloomery_log_connections 1'],
      );
    }
  });
});
