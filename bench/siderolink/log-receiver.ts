import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startLinkPeer } from '../../packages/bloomery/src/testing/link-peer.ts';
import { eventually } from '../../packages/bloomery/src/testing/peer-process.ts';
import { type BenchResult, median } from '../bench-result.ts';

const ROUNDS = 5;
const LINES = 300_000;
const SIZE = 220;

/** Log lines over four plain TCP connections through the receiver to its file: ours against the upstream receiver. */
export async function benchLogReceiver(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const rates = { ours: [] as number[], theirs: [] as number[], buffered: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    rates.ours.push(await withOurs(load));
    rates.theirs.push(await withTheirs([], load));
    rates.buffered.push(await withTheirs(['-buffered'], load));
    say(
      `siderolink: log receiver, round ${round + 1} of ${ROUNDS}: ${Object.entries(rates)
        .map(([who, all]) => `${who} ${all.at(-1)?.toFixed(0)}/s`)
        .join(', ')}`,
    );
  }
  const ours = median(rates.ours);
  const note = `upstream with a buffer it has not: ${median(rates.buffered).toFixed(0)}/s`;
  const peer = { name: 'upstream receiver', value: median(rates.theirs) };
  return [
    { name: 'log lines through the receiver to file', unit: '/s', ours, peer, target: { atLeast: 1 }, note },
    { name: 'the same, by itself', unit: '/s', ours, target: { atLeast: 50_000 } },
  ];
}

async function withOurs(use: (address: string, file: string) => Promise<number>): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-logs-'));
  const file = join(dir, 'serverlogs.jsonl');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'receiver-process.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [address] = await once(createInterface(child.stdout), 'line');
    return await use(String(address), file);
  } finally {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  }
}

async function withTheirs(
  args: readonly string[],
  use: (address: string, file: string) => Promise<number>,
): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'bench-logs-'));
  const file = join(dir, 'serverlogs.jsonl');
  const receiver = startLinkPeer(['log-receiver', '-file', file, ...args]);
  try {
    const listening = await receiver.told('its address', ({ event }) => event === 'listening');
    return await use(String(listening['address']), file);
  } finally {
    await receiver.stop('SIGKILL');
    rmSync(dir, { recursive: true });
  }
}

/** Lines per second, from the first connection until the receiver has read everything. */
async function load(address: string, file: string): Promise<number> {
  const args = ['-to', address, '-lines', String(LINES), '-size', String(SIZE), '-connections', '4'];
  const peer = startLinkPeer(['log-load', ...args]);
  const done = await peer.told('the end of the load', ({ event }) => event === 'done' || event === 'failed');
  await peer.exited;
  if (done['event'] !== 'done') throw new Error(`the load failed: ${JSON.stringify(done)}`);
  // Ours is on disk within a second; the count ends when everything was read.
  const whole = LINES * (SIZE + 100);
  await eventually(
    'all lines in the file',
    () => statSync(file).size >= whole,
    () => `${statSync(file).size} of ${whole}`,
  );
  return Number(done['linesPerSecond']);
}
