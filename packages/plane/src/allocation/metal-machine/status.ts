import type { ConditionChange, StatusPatch } from '@bloomery/kube';
import { findCondition } from '@bloomery/kube';
import type { MetalMachine, Server, ServerBinding } from '@bloomery/model';
import { quoteError } from '../../insight/quote-error.ts';
import type { Wait } from '../wait.ts';
import { waitCondition, waitingFor, waitReasonOf } from '../wait.ts';
import { machineAddresses } from './machine-addresses.ts';

/** Where a MetalMachine is on its way (spec/ux.md §2.2). */
export type MetalMachinePhase = 'Pending' | 'Assigned' | 'Booting' | 'Installing' | 'Running' | 'Deleting' | 'Failed';

/** Conditions that come from the ServerBinding; those of an earlier binding do not survive a new one. */
const FROM_BINDING = [
  'SideroLinkConnected',
  'SystemReady',
  'TalosConfigLoaded',
  'TalosConfigValidated',
  'TalosInstalled',
];

/** Where an allocated machine stands by its binding's conditions and its Server's power. */
export function progressOf(
  binding: ServerBinding,
  server: Server | undefined,
): { readonly phase: MetalMachinePhase; readonly wait?: Wait } {
  const { name } = binding.metadata;
  const conditions = binding.status?.conditions;
  const installed = findCondition(conditions, 'TalosInstalled');
  if (installed?.status === 'True') return { phase: 'Running' };
  for (const type of ['TalosConfigLoaded', 'TalosConfigValidated']) {
    const config = findCondition(conditions, type);
    if (config?.status === 'False') {
      const message = `Server ${name} refused its machine config: ${quoteError(config.message ?? config.reason ?? type)}; correct the config or its patches`;
      return { phase: 'Booting', wait: { reason: 'ConfigRefused', message } };
    }
  }
  if (installed?.reason === 'TalosInstallationFailed') {
    const message = `the installation on Server ${name} failed: ${quoteError(installed.message ?? 'no reason was given')}; see its logs`;
    return { phase: 'Installing', wait: { reason: 'InstallationFailed', message } };
  }
  if (installed !== undefined || findCondition(conditions, 'TalosConfigLoaded') !== undefined) {
    return { phase: 'Installing', wait: { reason: 'Installing', message: `Server ${name} is installing` } };
  }
  const phase = server?.status?.power === 'on' ? 'Booting' : 'Assigned';
  return { phase, wait: serverWait(server) ?? bootWait(name, phase) };
}

/** What the Server itself waits for: the deepest cause, once the Server knows of its allocation. */
function serverWait(server: Server | undefined): Wait | undefined {
  const ready = server?.status?.inUse === true ? findCondition(server.status.conditions, 'Ready') : undefined;
  const reason = ready?.status === 'False' ? waitReasonOf(ready.reason) : undefined;
  if (server === undefined || reason === undefined) return undefined;
  const { name } = server.metadata;
  return { reason, message: `Server ${name}: ${ready?.message ?? reason}`, event: `Server ${name} waits` };
}

function bootWait(name: string, phase: MetalMachinePhase): Wait {
  return phase === 'Booting'
    ? { reason: 'WaitingForSystem', message: `Server ${name} is on; next: its operating system reports over the link` }
    : {
        reason: 'WaitingForPowerOn',
        message: `Server ${name} is allocated; next: it is powered on towards the network`,
      };
}

/** The status of a MetalMachine that waits before it has a Server, or while it goes. */
export function waitingStatus(phase: MetalMachinePhase, wait: Wait): StatusPatch {
  return { phase, waitingFor: waitingFor(wait), conditions: [waitCondition(wait)] };
}

/** The status of a MetalMachine whose ServerBinding exists: addresses, host name, conditions, progress. */
export function boundStatus(
  metalMachine: MetalMachine,
  binding: ServerBinding,
  server: Server | undefined,
): StatusPatch {
  const { phase, wait } = progressOf(binding, server);
  const carried = (binding.status?.conditions ?? []).filter((c) => c.type !== 'Ready');
  const stale = (metalMachine.status?.conditions ?? [])
    .filter(({ type }) => FROM_BINDING.includes(type) && !carried.some((c) => c.type === type))
    .map(({ type }): ConditionChange => ({ type, status: null }));
  const { addresses = [], hostname } = binding.spec ?? {};
  const failed = metalMachine.status?.failureReason !== undefined;
  return {
    ready: true,
    initialization: { provisioned: true },
    addresses: machineAddresses(addresses, hostname),
    phase: failed ? 'Failed' : phase,
    waitingFor: wait === undefined ? null : waitingFor(wait),
    conditions: [...carried, ...stale, wait === undefined ? { type: 'Ready', status: 'True' } : waitCondition(wait)],
  };
}
