import type { ConditionDraft } from '@bloomery/kube';
import type { MachineEvent, MachineEventValue } from '@bloomery/siderolink';
import { commonProto, machineEventsProto } from '@bloomery/wire';
import { type AddressFilter, usableAddresses } from './address-filter.ts';
import { stageName, unmetText } from './machine-stage.ts';

/** What an event of a machine changes on its ServerBinding; nothing: it is for the log and the timeline only. */
export interface EventPlan {
  readonly spec?: { readonly addresses: readonly string[]; readonly hostname: string };
  readonly conditions?: readonly ConditionDraft[];
}

/** What the plan must know besides the event. */
export interface EventContext {
  /** Bare link address that the event came from. */
  readonly linkAddress: string;
  /** Addresses that are not to be reported. */
  readonly isExcluded: AddressFilter;
}

const LOADED = 'TalosConfigLoaded';
const VALIDATED = 'TalosConfigValidated';
const INSTALLED = 'TalosInstalled';
/** Ours: what the machine says of itself as a whole. */
const READY = 'SystemReady';
/** An installer that ends like this has done its work: the error is the reboot that cut it off. */
const INSTALLER_REBOOT = 'unix.Reboot';
const HOSTNAME_MAX = 253;
const UNMET_MAX = 1_024;

/**
 * Decide what an event changes. Pure, and the same for the same event however often it comes.
 *
 * @see spec/siderolink.md section 9
 */
export function planEvent(event: MachineEvent, { linkAddress, isExcluded }: EventContext): EventPlan {
  switch (event.type) {
    case 'AddressEvent': {
      const { addresses, hostname } = event.value;
      const usable = usableAddresses(addresses, linkAddress, isExcluded);
      return { spec: { addresses: usable, hostname: hostname.slice(0, HOSTNAME_MAX) } };
    }
    case 'ConfigLoadErrorEvent':
      return { conditions: [failed(LOADED, 'TalosConfigLoadFailed', event.value.error)] };
    case 'ConfigValidationErrorEvent':
      return { conditions: [failed(VALIDATED, 'TalosConfigValidationFailed', event.value.error)] };
    case 'PhaseEvent':
      return planPhase(event.value);
    case 'SequenceEvent':
      return planSequence(event.value);
    case 'MachineStatusEvent':
      return { conditions: [systemReady(event.value)] };
    default:
      return {};
  }
}

/** How the install sequence ended, where this event says so. */
export type InstallEnd = { readonly ok: true } | { readonly ok: false; readonly message: string };

/**
 * What a sequence event says about the end of an installation. A sequence says NOOP when it did not get to its end, and FATAL is
 * the zero of its error's code: no error at all reads as FATAL without a word. So it does upstream, and so it does here: an
 * installation that says it did nothing is none. Talos always sends an error with it.
 */
export function installEnd({ sequence, action, error }: MachineEventValue<'SequenceEvent'>): InstallEnd | undefined {
  if (sequence !== 'install' || action !== machineEventsProto.SequenceEvent_Action.NOOP) return undefined;
  const { code, message } = error ?? { code: commonProto.Code.FATAL, message: '' };
  if (code !== commonProto.Code.FATAL) return undefined;
  return message.includes(INSTALLER_REBOOT) ? { ok: true } : { ok: false, message };
}

/** The end of a phase says nothing: failures end phases, too. */
function planPhase({ phase, action }: MachineEventValue<'PhaseEvent'>): EventPlan {
  if (action !== machineEventsProto.PhaseEvent_Action.START) return {};
  if (phase === 'saveConfig') return { conditions: [isTrue(VALIDATED), isTrue(LOADED)] };
  if (phase !== 'install') return {};
  return {
    conditions: [{ type: INSTALLED, status: 'False', severity: 'Info', reason: 'TalosInstallationInProgress' }],
  };
}

function planSequence(event: MachineEventValue<'SequenceEvent'>): EventPlan {
  if (event.sequence === 'boot' && event.action === machineEventsProto.SequenceEvent_Action.START) {
    return { conditions: [isTrue(LOADED), isTrue(VALIDATED), isTrue(INSTALLED)] };
  }
  const end = installEnd(event);
  if (end === undefined) return {};
  return { conditions: [end.ok ? isTrue(INSTALLED) : failed(INSTALLED, 'TalosInstallationFailed', end.message)] };
}

function systemReady({ stage, status }: MachineEventValue<'MachineStatusEvent'>): ConditionDraft {
  const isRunning = stage === machineEventsProto.MachineStatusEvent_MachineStage.RUNNING;
  if (isRunning && status?.ready === true) return isTrue(READY);
  const message = unmetText(status?.unmetConditions ?? []).slice(0, UNMET_MAX);
  const reason = isRunning ? 'NotReady' : `Stage${stageName(stage)}`;
  return { type: READY, status: 'False', severity: isRunning ? 'Warning' : 'Info', reason, message };
}

function isTrue(type: string): ConditionDraft {
  return { type, status: 'True' };
}

/** Errors are given verbatim, as people who look for them know them. */
function failed(type: string, reason: string, message: string): ConditionDraft {
  return { type, status: 'False', severity: 'Error', reason, message };
}
