import { readFileSync } from 'node:fs';
import type { LinkPlane } from '../../packages/bloomery/src/testing/link-plane.ts';

/** Resident memory of a plane, for a note. */
export function residentNote(plane: LinkPlane): string {
  const status = readFileSync(`/proc/${plane.serve().process.pid}/status`, 'utf8');
  return `${Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)} MiB resident`;
}
