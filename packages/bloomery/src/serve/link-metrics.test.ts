import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LinkMetrics } from '@bloomery/plane';
import { Registry } from 'prom-client';
import { addLinkMetrics } from './link-metrics.ts';

describe('metrics of SideroLink', () => {
  it('are read when they are asked for', async () => {
    const registry = new Registry();
    let metrics: LinkMetrics | undefined;
    addLinkMetrics([registry], () => metrics);
    const values = async (): Promise<readonly string[]> =>
      (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const counters = (received: number, sent: number, handshakes: number): readonly string[] => [
      `bloomery_siderolink_received_bytes_total ${received}`,
      `bloomery_siderolink_sent_bytes_total ${sent}`,
      `bloomery_siderolink_handshakes_total ${handshakes}`,
    ];
    assert.deepEqual(await values(), ['bloomery_siderolink_tunnels 0', ...counters(0, 0, 0)]);
    const tunnels = { streams: 1, opened: 4, refused: 2, replaced: 1, fromMachines: 7, toMachines: 8, dropped: 9 };
    metrics = { peers: { up: 3, stale: 1, never: 2 }, receivedBytes: 10, sentBytes: 20, handshakes: 5, tunnels };
    for (let twice = 0; twice < 2; twice++) {
      assert.deepEqual(await values(), [
        'bloomery_siderolink_peers{state="up"} 3',
        'bloomery_siderolink_peers{state="stale"} 1',
        'bloomery_siderolink_peers{state="never"} 2',
        'bloomery_siderolink_tunnels 1',
        'bloomery_siderolink_tunnel_streams_total{result="opened"} 4',
        'bloomery_siderolink_tunnel_streams_total{result="refused"} 2',
        'bloomery_siderolink_tunnel_streams_total{result="replaced"} 1',
        'bloomery_siderolink_tunnel_packets_total{direction="from_machines"} 7',
        'bloomery_siderolink_tunnel_packets_total{direction="to_machines"} 8',
        'bloomery_siderolink_tunnel_packets_total{direction="dropped"} 9',
        ...counters(10, 20, 5),
      ]);
    }
  });
});
