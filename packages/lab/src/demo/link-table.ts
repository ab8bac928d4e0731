import { isTrue, linkMode, REPORTED_CONDITIONS, type Sight } from './machine-stages.ts';
import { linkText } from './run-journey.ts';
import { textTable } from './text-table.ts';

/** A machine of the rack with what is seen of it. */
export interface SeenMachine {
  /** Its name in the rack. */
  readonly name: string;
  readonly sight: Sight;
}

/** What the plane learned of machines over the management link: one row each, with a head. */
export function linkTable(machines: readonly SeenMachine[]): string[] {
  const rows = machines.map(({ name, sight }) => [
    name,
    sight.metalMachine?.metadata.name ?? '-',
    linkText(linkMode(sight)),
    `${sight.kernelLog.length} lines`,
    conditionsTrue(sight).join(' ') || '-',
  ]);
  return textTable([['machine', 'node', 'link', 'kernel log', 'conditions True'], ...rows]);
}

function conditionsTrue({ binding, metalMachine }: Sight): string[] {
  return [
    ...['SideroLinkConnected'].filter((type) => isTrue(binding?.status?.conditions, type)),
    ...REPORTED_CONDITIONS.filter((type) => isTrue(metalMachine?.status?.conditions, type)),
  ];
}
