import { type LinkPeer, startLinkPeer } from '../../packages/bloomery/src/testing/link-peer.ts';
import { type LinkPlane, startLinkPlane } from '../../packages/bloomery/src/testing/link-plane.ts';
import { eventually } from '../../packages/bloomery/src/testing/peer-process.ts';
import { type BenchResult, median } from '../bench-result.ts';
import { KILLS } from './kills.ts';
import { benchUuid, makeBindings } from './many-bindings.ts';

const ROUNDS = 3;
const NODES = [
  { way: 'UDP', args: [], target: { atMost: 3 } },
  // Upstream's relay waits for 5 s before it opens a stream again.
  { way: 'tunnel', args: ['-tunnel'], target: undefined },
] as const;

/**
 * Kill -9 and a new start at once: when does a linked machine get a TCP connection again, without another Provision call?
 * Counted from the start of the new process; with wireguard-go killed too, so that its sessions are lost, as after a restart
 * of the host.
 */
export async function benchTrafficReturn(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const plane = await startLinkPlane('--log-level', 'error');
  try {
    await makeBindings(plane.client, { first: 0, count: NODES.length });
    const nodes = await Promise.all(NODES.map(({ args }, index) => joined(plane, index, args)));
    const results: BenchResult[] = [];
    for (const { what, kill } of KILLS) {
      const rounds: number[][] = NODES.map(() => []);
      for (let round = 0; round < ROUNDS; round++) {
        await endpointIsStored(plane);
        await kill(plane);
        const startedMs = performance.now();
        const back = nodes.map(async (node, index) => {
          const reached = await node.ask({ do: 'reach', timeoutMs: 60_000 });
          if (reached['connected'] !== true) throw new Error(`a node is not back: ${JSON.stringify(reached)}`);
          rounds[index]?.push((performance.now() - startedMs) / 1000);
        });
        await Promise.all([plane.restart(), ...back]);
        const told = NODES.map(({ way }, index) => `${way} ${rounds[index]?.at(-1)?.toFixed(2)} s`);
        say(`siderolink: kill -9 of ${what}, round ${round + 1} of ${ROUNDS}: ${told.join(', ')}`);
      }
      for (const [index, { way, target }] of NODES.entries()) {
        const name = `traffic back, ${way}, kill -9 of ${what}`;
        results.push({
          name,
          unit: 's',
          ours: median(rounds[index] ?? []),
          ...(target === undefined ? {} : { target }),
        });
      }
    }
    await Promise.all(nodes.map((node) => node.stop('SIGKILL')));
    return results;
  } finally {
    await plane.end();
  }
}

async function endpointIsStored(plane: LinkPlane): Promise<void> {
  await eventually('the stored endpoint', async () =>
    JSON.stringify((await plane.binding(benchUuid(0))).status ?? {}).includes(`${plane.namespace.ownHost}:`),
  );
}

async function joined(plane: LinkPlane, index: number, args: readonly string[]): Promise<LinkPeer> {
  const node = startLinkPeer(['node', '-api', plane.api, '-uuid', benchUuid(index), ...args]);
  await node.told('its address', ({ event }) => event === 'provisioned');
  const reached = await node.ask({ do: 'reach', timeoutMs: 30_000 });
  if (reached['connected'] !== true) throw new Error(`a node is not linked: ${JSON.stringify(reached)}`);
  return node;
}
