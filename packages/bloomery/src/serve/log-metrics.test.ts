import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogCounts } from '@bloomery/plane';
import { Registry } from 'prom-client';
import { addLogMetrics, addRecordMetrics } from './log-metrics.ts';

describe('metrics of kernel logs', () => {
  it('are what was counted, for every reason to drop', async () => {
    const registry = new Registry();
    const counts = createLogCounts();
    addLogMetrics([registry], counts);
    counts.lines = 7;
    counts.dropped.rate = 2;
    counts.connections = 1;
    counts.refusedConnections = 3;
    for (let twice = 0; twice < 2; twice++) {
      const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      assert.equal(lines.length, 1 + Object.keys(counts.dropped).length + 2);
      assert.deepEqual(
        lines.filter((line) => !line.endsWith(' 0')),
        [
          'bloomery_log_lines_total 7',
          'bloomery_log_dropped_total{reason="rate"} 2',
          'bloomery_log_connections 1',
          'bloomery_log_connections_refused_total 3',
        ],
      );
    }
  });

  it('say of each file how many lines were lost', async () => {
    const registry = new Registry();
    const lost = { serverlogs: 0, machines: 2 };
    addRecordMetrics([registry], () => lost);
    lost.serverlogs = 1;
    for (let twice = 0; twice < 2; twice++) {
      assert.deepEqual((await registry.metrics()).match(/^bloomery_record.*/gm), [
        'bloomery_record_lines_lost_total{file="serverlogs"} 1',
        'bloomery_record_lines_lost_total{file="machines"} 2',
      ]);
    }
  });
});
