import { startLinkPlane } from '../../packages/bloomery/src/testing/link-plane.ts';
import type { BenchResult } from '../bench-result.ts';
import { makeBindings } from './many-bindings.ts';

const PEERS = 10_000;

/** From the start of the process to ready, with 10,000 machines whose peers the device has before it. */
export async function benchManyPeers(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const plane = await startLinkPlane('--log-level', 'error');
  try {
    const prefix = linkPrefix(plane.namespace.run('ip', '-6', '-o', 'address', 'show', 'dev', 'siderolink'));
    await makeBindings(plane.client, { first: 0, count: PEERS }, prefix);
    await plane.serve().stop();
    const startedMs = performance.now();
    await plane.restart();
    const seconds = (performance.now() - startedMs) / 1000;
    const has = plane.namespace.run('ip', '-6', '-o', 'address', 'show').includes('siderolink');
    say(`siderolink: ready with ${PEERS} peers in ${seconds.toFixed(1)} s, link ${has ? 'up' : 'DOWN'}`);
    return [
      { name: `start with ${PEERS} peers, ready`, unit: 's', ours: has ? seconds : Number.NaN, target: { atMost: 5 } },
    ];
  } finally {
    await plane.end();
  }
}

/** `fd…:…:…:…:` of the server's address. */
function linkPrefix(shown: string): string {
  const address = /inet6 (fd[0-9a-f:]+)::1\/64/.exec(shown)?.[1];
  if (address === undefined) throw new Error(`the link has no address: ${shown}`);
  return `${address}:`;
}
