import { machineEventsProto } from '@bloomery/wire';

const NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(machineEventsProto.MachineStatusEvent_MachineStage).map(([name, value]) => [value, camelCase(name)]),
);

const UNMET_MAX = 16;

/** A machine's stage, `ShuttingDown`; `Unknown` for numbers that nobody knows. */
export function stageName(stage: number): string {
  return NAMES[stage] ?? 'Unknown';
}

/** What keeps a machine from being ready, on one line: `services: etcd is not healthy; …`. At most 16 are named. */
export function unmetText(unmet: readonly { readonly name: string; readonly reason: string }[]): string {
  const named = unmet.slice(0, UNMET_MAX).map(({ name, reason }) => (reason === '' ? name : `${name}: ${reason}`));
  const more = unmet.length - named.length;
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join('; ');
}

function camelCase(name: string): string {
  return name
    .split('_')
    .map((word) => word.slice(0, 1) + word.slice(1).toLowerCase())
    .join('');
}
