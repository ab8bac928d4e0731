import { LINK_PEER } from '../packages/bloomery/src/testing/link-peer.ts';
import { whyNoLinkNamespace } from '../packages/bloomery/src/testing/test-namespace.ts';
import type { BenchResult } from './bench-result.ts';
import { benchFleetReturn } from './siderolink/fleet-return.ts';
import { benchLogReceiver } from './siderolink/log-receiver.ts';
import { benchManyPeers } from './siderolink/many-peers.ts';
import { benchProvisions } from './siderolink/provisions.ts';
import { benchTrafficReturn } from './siderolink/traffic-return.ts';
import { benchTunnelEcho } from './siderolink/tunnel-echo.ts';
import { benchTunnelLogs } from './siderolink/tunnel-logs.ts';

const PARTS = {
  'tunnel-echo': benchTunnelEcho,
  'log-receiver': benchLogReceiver,
  provisions: benchProvisions,
  'tunnel-logs': benchTunnelLogs,
  'many-peers': benchManyPeers,
  'traffic-return': benchTrafficReturn,
  'fleet-return': benchFleetReturn,
} as const;

/**
 * The link against the upstream module: calls, tunnel, log receiver, many peers and a restart. Planes and agents run in network
 * namespaces with wireguard-go. BENCH_PARTS (comma list) runs only some of it.
 */
export async function benchSiderolink(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const why = LINK_PEER.missing || whyNoLinkNamespace();
  if (why !== false) {
    say(`siderolink: left out: ${why}`);
    return [];
  }
  const wanted = process.env['BENCH_PARTS']?.split(',');
  const results: BenchResult[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted !== undefined && !wanted.includes(name)) continue;
    results.push(...(await part(say)));
  }
  return results;
}
