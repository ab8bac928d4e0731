const PHASES = [
  'Discovered',
  'Accepted',
  'Wiping',
  'Available',
  'Reserved',
  'Booting',
  'Installing',
  'Running',
  'Releasing',
  'Cordoned',
  'Parked',
  'Lost',
] as const;

/** Where a Server is on its journey (ux.md §2.2). */
export type ServerPhase = (typeof PHASES)[number];

/** Whether a stored text is a phase of today. */
export function isServerPhase(text: string | undefined): text is ServerPhase {
  return PHASES.some((phase) => phase === text);
}
