import { type LinkPeer, startLinkPeer } from '../../packages/bloomery/src/testing/link-peer.ts';
import { type LinkPlane, startLinkPlane } from '../../packages/bloomery/src/testing/link-plane.ts';
import type { BenchResult } from '../bench-result.ts';
import { KILLS } from './kills.ts';
import { makeBindings } from './many-bindings.ts';
import { residentNote } from './resident.ts';

const NODES = 1000;

/** Kill -9 of a plane that 1,000 linked machines log to, a new start at once: when has each of them its log connection again? */
export async function benchFleetReturn(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const plane = await startLinkPlane('--log-level', 'error');
  try {
    await makeBindings(plane.client, { first: 0, count: NODES });
    const nodes = startLinkPeer(['nodes', '-api', plane.api, '-count', String(NODES)]);
    const joined = await nodes.told('all nodes', ({ event }) => event === 'all-up');
    say(`siderolink: ${NODES} nodes joined in ${Number(joined['seconds']).toFixed(1)} s`);
    const note = residentNote(plane);
    const results: BenchResult[] = [
      { name: `${NODES} nodes joined`, unit: 's', ours: Number(joined['seconds']), note },
    ];
    for (const { what, kill } of KILLS) results.push(await fleetReturns(plane, nodes, what, kill, say));
    await nodes.stop('SIGKILL');
    return results;
  } finally {
    await plane.end();
  }
}

async function fleetReturns(
  plane: LinkPlane,
  nodes: LinkPeer,
  what: string,
  kill: (plane: LinkPlane) => Promise<unknown>,
  say: (line: string) => void,
): Promise<BenchResult> {
  const from = nodes.facts.length;
  await kill(plane);
  await nodes.ask({ do: 'mark' });
  await plane.restart();
  const back = await nodes.told('all nodes again', ({ event }) => event === 'all-up', from);
  const counts = nodes.facts.slice(from).filter(({ event }) => event === 'count');
  const peak = (figure: string): number => Math.max(0, ...counts.map((count) => Number(count[figure])));
  const note = `peaks: ${peak('provisions')} provisions/s, ${peak('initiations')} handshakes/s of the nodes`;
  const seconds = Number(back['seconds']);
  say(`siderolink: ${NODES} nodes back after kill -9 of ${what} in ${seconds.toFixed(1)} s, ${note}`);
  return { name: `${NODES} nodes back, kill -9 of ${what}`, unit: 's', ours: seconds, target: { atMost: 60 }, note };
}
