import { ANNOTATIONS, LABELS, type Machine, type MetalMachine, type Server, type ServerBinding } from '@bloomery/model';
import type { CollectedLine } from './collected-logs.ts';

/** The stages of a machine's journey in the lab, in order. */
export const STAGES = [
  'Registered',
  'Accepted',
  'BmcReady',
  'Wiped',
  'SwitchedOff',
  'Allocated',
  'Booted',
  'Linked',
  'Configured',
  'Installed',
  'RunsFromDisk',
  'Observed',
  'Joined',
] as const;

export type Stage = (typeof STAGES)[number];

/** What can be seen of one machine at one moment. */
export interface Sight {
  readonly server: Server | undefined;
  readonly binding: ServerBinding | undefined;
  /** The one that holds the Server. */
  readonly metalMachine: MetalMachine | undefined;
  /** The Machine that the MetalMachine belongs to. */
  readonly machine: Machine | undefined;
  /** Serial console, all boots since the power button was pressed. */
  readonly console: string;
  /** What the plane collected of its kernel log, all boots of its operating system. */
  readonly kernelLog: readonly CollectedLine[];
}

/** Conditions that only events of a machine make True. */
export const REPORTED_CONDITIONS = [
  'TalosConfigLoaded',
  'TalosConfigValidated',
  'TalosInstalled',
  'SystemReady',
] as const;

/**
 * The stages that a sight proves. A stage counts only by what the plane was told by the machine, or by the machine's own
 * console where the plane cannot know (what really runs on it).
 */
export function stagesSeen(sight: Sight): ReadonlySet<Stage> {
  const { server, binding, metalMachine, machine, console, kernelLog } = sight;
  const seen = new Set<Stage>();
  const add = (stage: Stage, proven: boolean | undefined): void => {
    if (proven === true) seen.add(stage);
  };
  add('Registered', server !== undefined);
  add('Accepted', server?.spec?.accepted);
  add('BmcReady', server?.spec?.bmc?.passFrom !== undefined || server?.spec?.bmc?.pass !== undefined);
  // A clean machine can be allocated before anybody looks.
  const isWiped = server?.status?.isClean === true || server?.status?.wipe?.finishedAt !== undefined;
  add('Wiped', isWiped);
  add('SwitchedOff', isWiped && server?.status?.power === 'off');
  add('Allocated', binding !== undefined);
  add('Booted', /\[talos-stand-in\] standin\.started .*boot=network/.test(console));
  const isLinked = isTrue(binding?.status?.conditions, 'SideroLinkConnected');
  add('Linked', isLinked);
  const hasItsConfig = isConfigured(metalMachine, binding);
  add('Configured', hasItsConfig);
  add('Installed', isTrue(binding?.status?.conditions, 'TalosInstalled'));
  add('RunsFromDisk', /\[talos-stand-in\] standin\.ready .*boot=disk/.test(console));
  const isHeard = kernelLog.some(({ msg }) => msg.includes('[talos-stand-in] standin.ready boot=disk'));
  const hasReported = REPORTED_CONDITIONS.every((type) => isTrue(metalMachine?.status?.conditions, type));
  add('Observed', isLinked && isHeard && hasReported && hasItsConfig);
  add('Joined', machine?.status?.phase === 'Running' && machine.status.nodeRef?.name !== undefined);
  return seen;
}

/** How the machine's WireGuard goes to the plane, as the plane has it. */
export function linkMode({ binding }: Pick<Sight, 'binding'>): 'udp' | 'tunnel' | 'none' {
  if (binding?.spec?.siderolink === undefined) return 'none';
  return binding.metadata.annotations?.[ANNOTATIONS.siderolinkMode] === 'tunnel' ? 'tunnel' : 'udp';
}

/** The machine reported the host name and the address that only its configuration gives it. */
function isConfigured(metalMachine: MetalMachine | undefined, binding: ServerBinding | undefined): boolean {
  if (metalMachine === undefined || binding === undefined) return false;
  const { hostname, addresses = [] } = binding.spec ?? {};
  const expected = expectedAddress(metalMachine);
  return hostname === metalMachine.metadata.name && (expected === undefined || addresses.includes(expected));
}

/** The examples give the control plane 10.77.0.21 and `forge-3` 10.77.0.23; other workers have only what DHCP gives them. */
export function expectedAddress({ metadata: { name, labels } }: MetalMachine): string | undefined {
  if (labels?.[LABELS.controlPlane] !== undefined) return '10.77.0.21';
  return name === 'forge-3' ? '10.77.0.23' : undefined;
}

/** Whether a condition of this type is True. */
export function isTrue(
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}
