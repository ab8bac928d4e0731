import { connect } from 'node:net';
import { join } from 'node:path';
import { type LinkPlane, startLinkPlane } from '../../packages/bloomery/src/testing/link-plane.ts';
import { type BenchResult, median } from '../bench-result.ts';
import { makeBindings } from './many-bindings.ts';
import { residentNote } from './resident.ts';

const PEERS = 10_000;
const ROUNDS = 3;

/** From the start of the process to ready, with 10,000 machines whose peers the device has before it. */
export async function benchManyPeers(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const plane = await startLinkPlane('--log-level', 'error');
  try {
    const prefix = linkPrefix(plane.namespace.run('ip', '-6', '-o', 'address', 'show', 'dev', 'siderolink'));
    await makeBindings(plane.client, { first: 0, count: PEERS }, prefix);
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await plane.serve().stop();
      const startedMs = performance.now();
      await plane.restart();
      rounds.push((performance.now() - startedMs) / 1000);
      const has = await peersOfDevice(plane);
      if (has !== PEERS) throw new Error(`the device has ${has} peers instead of ${PEERS}`);
    }
    say(`siderolink: ready with ${PEERS} peers in ${rounds.map((s) => s.toFixed(1)).join(', ')} s`);
    const note = residentNote(plane);
    const name = `start with ${PEERS} peers, ready`;
    return [{ name, unit: 's', ours: median(rounds), target: { atMost: 5 }, note }];
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

/** How many wireguard-go has, by its control socket. */
async function peersOfDevice(plane: LinkPlane): Promise<number> {
  const socket = connect(join(plane.serve().dir, 'wg/siderolink.sock'), () => socket.write('get=1\n\n'));
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.endsWith('\n\n')) break;
  }
  return text.split('public_key=').length - 1;
}
