import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startLinkPeer } from '../../packages/bloomery/src/testing/link-peer.ts';
import { type BenchResult, median } from '../bench-result.ts';

const ROUNDS = 5;
const SECONDS = '1.5';
const CASES = [
  { inFlight: 100, target: { atLeast: 0.85 } },
  { inFlight: 1, target: undefined },
] as const;

/** PeerPackets of 1400 B given back by our stream and by grpc-go, to the same grpc-go client. */
export async function benchTunnelEcho(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const ours = spawn(process.execPath, [join(import.meta.dirname, 'echo-server.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const theirs = startLinkPeer(['tunnel-echo-server']);
  try {
    const ourAddress = await firstLine(ours);
    const theirAddress = String((await theirs.told('its address', ({ event }) => event === 'listening'))['address']);
    const results: BenchResult[] = [];
    for (const { inFlight, target } of CASES) {
      const rates = { ours: [] as number[], theirs: [] as number[] };
      for (let round = 0; round < ROUNDS; round++) {
        rates.ours.push(await echoes(ourAddress, inFlight));
        rates.theirs.push(await echoes(theirAddress, inFlight));
      }
      const [own, other] = [median(rates.ours), median(rates.theirs)];
      say(`siderolink: tunnel echo, ${inFlight} in flight: ${own.toFixed(0)}/s, grpc-go ${other.toFixed(0)}/s`);
      results.push({
        name: `tunnel echo of 1400 B, ${inFlight} in flight`,
        unit: '/s',
        ours: own,
        peer: { name: 'grpc-go', value: other },
        ...(target === undefined ? {} : { target }),
      });
    }
    return results;
  } finally {
    ours.kill('SIGKILL');
    await theirs.stop('SIGKILL');
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the echo server has no output');
  const [line] = await once(createInterface(child.stdout), 'line');
  return String(line);
}

async function echoes(address: string, inFlight: number): Promise<number> {
  const args = ['-to', address, '-in-flight', String(inFlight), '-seconds', SECONDS];
  const client = startLinkPeer(['tunnel-echo-client', ...args]);
  const done = await client.told('the echoes', ({ event }) => event === 'done' || event === 'failed');
  await client.exited;
  if (done['event'] !== 'done') throw new Error(`no echo: ${JSON.stringify(done)}`);
  return Number(done['perSecond']);
}
