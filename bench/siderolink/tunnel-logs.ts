import { type LinkPeer, startLinkPeer } from '../../packages/bloomery/src/testing/link-peer.ts';
import { startLinkPlane } from '../../packages/bloomery/src/testing/link-plane.ts';
import { startUpstreamAgent } from '../../packages/bloomery/src/testing/upstream-agent.ts';
import { type BenchResult, median } from '../bench-result.ts';
import { benchUuid, makeBindings } from './many-bindings.ts';

const ROUNDS = 5;
/** A usual line, and about the longest that the kernel makes (1024 bytes of text at most). */
const SIZES = [
  { size: 200, lines: 150_000 },
  { size: 1200, lines: 60_000 },
] as const;

/** One node sends log lines through its tunnel until the receiver has read them all; the same node against the upstream agent. */
export async function benchTunnelLogs(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const plane = await startLinkPlane('--log-level', 'error');
  const agent = await startUpstreamAgent('-out', '/dev/null');
  try {
    await makeBindings(plane.client, { first: 0, count: 1 });
    const results: BenchResult[] = [];
    const ours = await tunnelled(plane.api);
    const theirs = await tunnelled(agent.api);
    for (const { size, lines } of SIZES) {
      const rates = { ours: [] as number[], theirs: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        rates.ours.push(await flood(ours, size, lines));
        rates.theirs.push(await flood(theirs, size, lines));
        say(
          `siderolink: log lines of ${size} B through the tunnel, round ${round + 1} of ${ROUNDS}: ${rates.ours.at(-1)?.toFixed(0)} Mbit/s, agent ${rates.theirs.at(-1)?.toFixed(0)}`,
        );
      }
      results.push({
        name: `log lines of ${size} B through the tunnel`,
        unit: 'Mbit/s',
        ours: median(rates.ours),
        peer: { name: 'Go agent', value: median(rates.theirs) },
        target: { atLeast: 0.6 },
      });
    }
    await Promise.all([ours.stop('SIGKILL'), theirs.stop('SIGKILL')]);
    return results;
  } finally {
    agent.end();
    await plane.end();
  }
}

async function tunnelled(api: string): Promise<LinkPeer> {
  const node = startLinkPeer(['node', '-api', api, '-uuid', benchUuid(0), '-tunnel']);
  const fact = await node.told('an answer to Provision', ({ event }) => event === 'provisioned' || event === 'refused');
  if (fact['tunnel'] !== true) throw new Error(`no tunnel: ${JSON.stringify(fact)}`);
  return node;
}

async function flood(node: LinkPeer, size: number, count: number): Promise<number> {
  const done = await node.ask({ do: 'flood', size, count });
  if (done['ok'] !== true) throw new Error(`the receiver did not take the lines: ${JSON.stringify(done)}`);
  return (Number(done['bytes']) * 8) / 1e6 / Number(done['seconds']);
}
