import type { Column } from '../kind.ts';

/** Columns of Server (spec/ux.md §2.1); `hardware` are the wide columns that only the stored version can show. */
export function serverColumns(hardware: readonly Column[]): readonly Column[] {
  return [
    { name: 'Hostname', path: '.spec.hostname', of: 'string' },
    { name: 'Accepted', path: '.spec.accepted', of: 'boolean' },
    { name: 'Cordoned', path: '.spec.cordoned', of: 'boolean' },
    { name: 'Allocated', path: '.status.inUse', of: 'boolean' },
    { name: 'Clean', path: '.status.isClean', of: 'boolean' },
    { name: 'Power', path: '.status.power', of: 'string' },
    { name: 'Phase', path: '.status.phase', of: 'string' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'BMC IP', path: '.spec.bmc.endpoint', of: 'string', wide: true },
    { name: 'Cluster', path: '.status.cluster', of: 'string', wide: true },
    { name: 'Machine', path: '.status.machine', of: 'string', wide: true },
    ...hardware,
    { name: 'Last-Seen', path: '.status.lastSeen', of: 'date', wide: true },
  ];
}
