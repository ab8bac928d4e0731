import { execFileSync } from 'node:child_process';
import type { LinkPlane } from '../../packages/bloomery/src/testing/link-plane.ts';

/** Ways a plane ends suddenly: alone, so that wireguard-go keeps its sessions, or with all of its namespace, as with its host. */
export const KILLS = [
  { what: 'the plane', kill: (plane: LinkPlane) => plane.serve().stop('SIGKILL') },
  { what: 'plane and device', kill: killAll },
] as const;

async function killAll(plane: LinkPlane): Promise<void> {
  const name = plane.namespace.within.at(-1) ?? '';
  for (const pid of execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n').filter(Boolean)) {
    process.kill(Number(pid), 'SIGKILL');
  }
  await plane.serve().stop('SIGKILL');
}
