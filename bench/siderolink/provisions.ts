import { readFileSync } from 'node:fs';
import { LINK_PEER, startLinkPeer } from '../../packages/bloomery/src/testing/link-peer.ts';
import { startLinkPlane } from '../../packages/bloomery/src/testing/link-plane.ts';
import { startUpstreamAgent } from '../../packages/bloomery/src/testing/upstream-agent.ts';
import { type BenchResult, median } from '../bench-result.ts';
import { makeBindings } from './many-bindings.ts';

const ROUNDS = 3;
const MACHINES = 1500;
const CALLERS = 32;

/** Provision calls of machines that never asked before, each stored before its answer and its peer set, over 32 connections. */
export async function benchProvisions(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const plane = await startLinkPlane('--log-level', 'error');
  const agent = await startUpstreamAgent();
  const figures = { ours: [] as number[], p99: [] as number[], theirs: [] as number[], cpu: [] as number[] };
  try {
    await makeBindings(plane.client, { first: 0, count: MACHINES * ROUNDS });
    for (let round = 0; round < ROUNDS; round++) {
      const pid = plane.serve().process.pid ?? 0;
      const cpuBefore = cpuMicros(pid);
      const ours = await load(plane.api, round);
      figures.cpu.push((cpuMicros(pid) - cpuBefore) / MACHINES);
      const theirs = await load(agent.api, round);
      figures.ours.push(ours.perSecond);
      figures.p99.push(ours.p99Ms);
      figures.theirs.push(theirs.perSecond);
      say(
        `siderolink: provisions, round ${round + 1} of ${ROUNDS}: ${ours.perSecond.toFixed(0)}/s, agent ${theirs.perSecond.toFixed(0)}/s`,
      );
    }
  } finally {
    agent.end();
    await plane.end();
  }
  const theirs = median(figures.theirs);
  return [
    {
      name: `provisions, durable, ${CALLERS} callers`,
      unit: '/s',
      ours: median(figures.ours),
      target: { atLeast: 300 },
      note: `upstream agent, in memory: ${theirs.toFixed(0)}/s`,
    },
    { name: 'CPU of a provision', unit: 'µs', ours: median(figures.cpu) },
    { name: 'provision p99', unit: 'ms', ours: median(figures.p99) },
  ];
}

/** User and system time of a process so far. */
function cpuMicros(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function load(api: string, round: number): Promise<{ readonly perSecond: number; readonly p99Ms: number }> {
  const range = ['-first', String(round * MACHINES), '-count', String(MACHINES), '-parallel', String(CALLERS)];
  const peer = startLinkPeer(['provision-load', '-api', api, ...range]);
  const done = await peer.told('the end of the load', ({ event }) => event === 'done' || event === 'failed');
  if (done['answered'] !== MACHINES) throw new Error(`${LINK_PEER.path}: ${JSON.stringify(done)}`);
  return { perSecond: Number(done['perSecond']), p99Ms: Number(done['p99Ms']) };
}
