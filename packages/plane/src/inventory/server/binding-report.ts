import { findCondition } from '@bloomery/kube';
import type { ServerBinding, WaitReason } from '@bloomery/model';
import { waitReasonOf } from '../../allocation/wait.ts';
import { quoteError } from '../../insight/quote-error.ts';
import type { ServerPhase } from './server-phase.ts';

/** What a ServerBinding's conditions say about its machine. */
export interface BindingReport {
  readonly phase: ServerPhase;
  readonly wait?: readonly [reason: WaitReason, message: string];
}

/** Why a deleted ServerBinding stays: its controller says so in the condition Ready. The machine lives on until then. */
export function heldRelease({ metadata, status }: ServerBinding): BindingReport['wait'] {
  const ready = findCondition(status?.conditions, 'Ready');
  const reason = waitReasonOf(ready?.reason);
  if (metadata.deletionTimestamp === undefined || ready?.status !== 'False' || reason === undefined) return undefined;
  return [reason, ready.message ?? ''];
}

/** What the operating system reported about itself, through the event sink. */
export function reported(binding: ServerBinding): BindingReport | undefined {
  const conditions = binding.status?.conditions;
  const installed = findCondition(conditions, 'TalosInstalled');
  if (installed?.status === 'True') return binding.status?.link === 'down' ? lost(binding) : { phase: 'Running' };
  for (const type of ['TalosConfigLoaded', 'TalosConfigValidated']) {
    const config = findCondition(conditions, type);
    if (config?.status !== 'False') continue;
    return {
      phase: 'Booting',
      wait: ['ConfigRefused', `the operating system refused its configuration: ${quoteError(config.message ?? '')}`],
    };
  }
  if (installed?.status === 'False' && installed.severity === 'Error') {
    return {
      phase: 'Installing',
      wait: ['InstallationFailed', `the installation failed: ${quoteError(installed.message ?? '')}`],
    };
  }
  if (installed === undefined && findCondition(conditions, 'TalosConfigLoaded') === undefined) return undefined;
  return { phase: 'Installing', wait: ['Installing', 'the operating system is being installed'] };
}

/** It ran, and its management link is silent: off, hung, moved to another network, or cut off from us. */
function lost({ metadata, status }: ServerBinding): BindingReport {
  const since = status?.lastHandshake ?? 'its last start';
  const next = `next: it is back by itself when it reaches us again; see bloomery explain server/${metadata.name}`;
  return { phase: 'Lost', wait: ['LinkDown', `no sign of life over the management link since ${since}; ${next}`] };
}
