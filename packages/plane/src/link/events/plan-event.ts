import type { ConditionDraft } from '@bloomery/kube';
import { isSiderolinkAddress, type MachineEvent } from '@bloomery/siderolink';
import { formatIpv6, machineEventsProto, parseIpv6 } from '@bloomery/wire';
import type { TimelineDraft } from '../../insight/timeline.ts';
import { type AddressFilter, isLinkLocal } from './address-filter.ts';

/** A mark on the timeline, and whether it is also worth a Kubernetes Event. */
export interface EventMark extends Pick<TimelineDraft, 'stage' | 'severity' | 'event' | 'summary' | 'facts'> {
  readonly kubeEvent?: boolean;
}

/** What an event of a machine means for its ServerBinding. */
export interface EventPlan {
  readonly spec?: { readonly addresses: readonly string[]; readonly hostname: string };
  readonly conditions?: readonly ConditionDraft[];
  readonly mark?: EventMark;
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
const INSTALLER_REBOOT = 'unix.Reboot';

/**
 * Decide what an event changes. Pure, and the same for the same event however often it comes.
 *
 * @see spec/siderolink.md section 9
 */
export function planEvent(event: MachineEvent, context: EventContext): EventPlan {
  switch (event.type) {
    case 'AddressEvent':
      return {
        spec: { addresses: usableAddresses(event.value.addresses, context), hostname: event.value.hostname },
        mark: mark('Link', 'AddressesReported', `Reports as ${event.value.hostname || 'a machine without host name'}`),
      };
    case 'ConfigLoadErrorEvent':
      return refused(LOADED, 'TalosConfigLoadFailed', 'cannot be loaded', event.value.error);
    case 'ConfigValidationErrorEvent':
      return refused(VALIDATED, 'TalosConfigValidationFailed', 'is not valid', event.value.error);
    case 'PhaseEvent':
      return planPhase(event.value.phase, event.value.action === machineEventsProto.PhaseEvent_Action.START);
    case 'SequenceEvent':
      return planSequence(event.value);
    default:
      return {};
  }
}

function planPhase(phase: string, isStart: boolean): EventPlan {
  if (!isStart) return {};
  if (phase === 'saveConfig') {
    return {
      conditions: [isTrue(VALIDATED), isTrue(LOADED)],
      mark: mark('Config', 'ConfigAccepted', 'Loaded and validated its configuration'),
    };
  }
  if (phase === 'install') {
    return {
      conditions: [{ type: INSTALLED, status: 'False', severity: 'Info', reason: 'TalosInstallationInProgress' }],
      mark: { ...mark('Installing', 'InstallStarted', 'Installing to disk'), kubeEvent: true },
    };
  }
  return {};
}

type SequenceEvent = Extract<MachineEvent, { readonly type: 'SequenceEvent' }>['value'];

function planSequence({ sequence, action, error }: SequenceEvent): EventPlan {
  const { NOOP, START } = machineEventsProto.SequenceEvent_Action;
  if (sequence === 'boot' && action === START) {
    return {
      conditions: [isTrue(LOADED), isTrue(VALIDATED), isTrue(INSTALLED)],
      mark: mark('Running', 'BootStarted', 'Booting from disk'),
    };
  }
  if (sequence !== 'install' || action !== NOOP || error === undefined || error.code !== 0) return {};
  if (error.message.includes(INSTALLER_REBOOT)) {
    return {
      conditions: [isTrue(INSTALLED)],
      mark: { ...mark('Installing', 'InstallFinished', 'Installed; rebooting from disk'), kubeEvent: true },
    };
  }
  return refused(INSTALLED, 'TalosInstallationFailed', 'cannot be installed', error.message);
}

function usableAddresses(addresses: readonly string[], { linkAddress, isExcluded }: EventContext): string[] {
  return addresses.filter((text) => {
    const bytes = parseIpv6(text);
    const canonical = bytes === undefined ? text : formatIpv6(bytes);
    return canonical !== linkAddress && !isSiderolinkAddress(canonical) && !isLinkLocal(text) && !isExcluded(text);
  });
}

function isTrue(type: string): ConditionDraft {
  return { type, status: 'True' };
}

function refused(type: string, reason: string, what: string, message: string): EventPlan {
  const isInstall = type === INSTALLED;
  return {
    conditions: [{ type, status: 'False', severity: 'Error', reason, message }],
    mark: {
      stage: isInstall ? 'Installing' : 'Config',
      severity: 'error',
      event: isInstall ? 'InstallFailed' : 'ConfigRefused',
      summary: `${isInstall ? 'The operating system' : 'The configuration'} ${what}: ${firstLine(message)}`,
      kubeEvent: true,
    },
  };
}

/** Machine configs are secret, and errors quote them at length: one line is enough for people. */
function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').slice(0, 200);
}

function mark(stage: string, event: string, summary: string): EventMark {
  return { stage, severity: 'info', event, summary };
}
