import type { MachineEvent, MachineEventValue } from '@bloomery/siderolink';
import { machineEventsProto } from '@bloomery/wire';
import { quoteError } from '../../insight/quote-error.ts';
import type { TimelineDraft } from '../../insight/timeline.ts';
import { stageName, unmetText } from './machine-stage.ts';
import { type EventPlan, installEnd } from './plan-event.ts';

/** A mark on the timeline, and whether it is also worth a Kubernetes Event. */
export interface EventMark extends Pick<TimelineDraft, 'stage' | 'severity' | 'event' | 'summary' | 'facts'> {
  readonly kubeEvent?: boolean;
  /** What the mark is about: the same mark again about the same thing is no news. */
  readonly topic: string;
  /** After this the machine begins anew: whatever it says then is news. */
  readonly isBeginning?: boolean;
}

const ADDRESSES_SHOWN = 4;
/** Tasks that change what is on the machine or in its cluster; there are dozens of others in every boot. */
const TASKS = /install|upgrade|reset|wipe|etcd|drain|cordon|reboot|shutdown|kexec/i;

/** What an event leaves on its machine's timeline; undefined: nothing. Pure. Texts of machines are cut to one line. */
export function markOf(event: MachineEvent, plan: EventPlan): EventMark | undefined {
  switch (event.type) {
    case 'AddressEvent':
      return addressMark(plan.spec);
    case 'ConfigLoadErrorEvent':
      return configRefused(`The configuration cannot be loaded: ${quoteError(event.value.error)}`);
    case 'ConfigValidationErrorEvent':
      return configRefused(`The configuration is not valid: ${quoteError(event.value.error)}`);
    case 'PhaseEvent':
      return phaseMark(event.value);
    case 'SequenceEvent':
      return sequenceMark(event.value);
    case 'TaskEvent':
      return taskMark(event.value);
    case 'ServiceStateEvent':
      return serviceMark(event.value);
    case 'MachineStatusEvent':
      return statusMark(event.value);
    case 'RestartEvent':
      return mark('System', 'RestartAnnounced', 'Restarts', { topic: 'restart' });
  }
}

function addressMark(spec: EventPlan['spec']): EventMark {
  const { addresses = [], hostname = '' } = spec ?? {};
  const shown = addresses.slice(0, ADDRESSES_SHOWN).join(', ');
  const more = addresses.length > ADDRESSES_SHOWN ? ` and ${addresses.length - ADDRESSES_SHOWN} more` : '';
  const at = shown === '' ? 'no address that others can use' : `${shown}${more}`;
  const name = hostname === '' ? 'a machine without host name' : quoteError(hostname);
  return mark('Link', 'AddressesReported', `Reports as ${name} at ${at}`, { topic: 'addresses' });
}

function configRefused(summary: string): EventMark {
  return mark('Config', 'ConfigRefused', summary, { topic: 'config', severity: 'error', kubeEvent: true });
}

function phaseMark({ phase, action }: MachineEventValue<'PhaseEvent'>): EventMark | undefined {
  if (action !== machineEventsProto.PhaseEvent_Action.START) return undefined;
  if (phase === 'saveConfig') {
    return mark('Config', 'ConfigAccepted', 'Loaded and validated its configuration', { topic: 'config' });
  }
  if (phase === 'install') {
    return mark('Installing', 'InstallStarted', 'Installing to disk', { topic: 'install', kubeEvent: true });
  }
  return mark('System', 'PhaseStarted', `Phase ${quoteError(phase)}`, { topic: 'phase' });
}

function sequenceMark(event: MachineEventValue<'SequenceEvent'>): EventMark | undefined {
  const { sequence, action, error } = event;
  const { START, NOOP } = machineEventsProto.SequenceEvent_Action;
  if (action === START) {
    return sequence === 'boot'
      ? mark('Running', 'BootStarted', 'Booting from disk', { topic: 'sequence', isBeginning: true })
      : mark(stageOf(sequence), 'SequenceStarted', `Sequence ${quoteError(sequence)}`, {
          topic: 'sequence',
          isBeginning: true,
        });
  }
  const end = installEnd(event);
  if (end?.ok === true) {
    return mark('Installing', 'InstallFinished', 'Installed; rebooting from disk', {
      topic: 'install',
      kubeEvent: true,
    });
  }
  if (end !== undefined) {
    const why = end.message === '' ? 'the sequence ended without a reason' : quoteError(end.message);
    const summary = `The operating system cannot be installed: ${why}`;
    return mark('Installing', 'InstallFailed', summary, { topic: 'install', severity: 'error', kubeEvent: true });
  }
  if (action !== NOOP || error === undefined) return undefined;
  const summary = `Sequence ${quoteError(sequence)} failed: ${quoteError(error.message)}`;
  return mark(stageOf(sequence), 'SequenceFailed', summary, {
    topic: 'sequence',
    severity: error.code === 0 ? 'error' : 'warning',
  });
}

function stageOf(sequence: string): string {
  return sequence === 'install' ? 'Installing' : 'System';
}

function taskMark({ task, action }: MachineEventValue<'TaskEvent'>): EventMark | undefined {
  if (action !== machineEventsProto.TaskEvent_Action.START || !TASKS.test(quoteError(task))) return undefined;
  return mark('System', 'TaskStarted', `Task ${quoteError(task)}`, { topic: 'task' });
}

/** Only what people ask for: is it up, is it healthy, did it fail. */
function serviceMark({
  service,
  action,
  message,
  health,
}: MachineEventValue<'ServiceStateEvent'>): EventMark | undefined {
  const { RUNNING, FAILED } = machineEventsProto.ServiceStateEvent_Action;
  const name = quoteError(service);
  const about = { topic: `service ${name}` };
  if (action === FAILED) {
    const summary = `Service ${name} failed: ${quoteError(message)}`;
    return mark('Services', 'ServiceFailed', summary, { ...about, severity: 'error' });
  }
  if (action !== RUNNING) return undefined;
  if (health === undefined || health.unknown) return mark('Services', 'ServiceRunning', `Service ${name} runs`, about);
  if (health.healthy) return mark('Services', 'ServiceHealthy', `Service ${name} is healthy`, about);
  const why = quoteError(health.lastMessage);
  const summary = `Service ${name} is not healthy${why === '' ? '' : `: ${why}`}`;
  return mark('Services', 'ServiceUnhealthy', summary, { ...about, severity: 'warning' });
}

function statusMark({ stage, status }: MachineEventValue<'MachineStatusEvent'>): EventMark {
  const name = stageName(stage);
  const unmet = status?.ready === true ? '' : quoteError(unmetText(status?.unmetConditions ?? []));
  const state = status?.ready === true ? 'ready' : unmet === '' ? 'not ready' : `not ready: ${unmet}`;
  return mark(name, 'MachineStatus', `The machine is at stage ${name}, ${state}`, { topic: 'status' });
}

function mark(
  stage: string,
  event: string,
  summary: string,
  more: Pick<EventMark, 'topic' | 'kubeEvent' | 'isBeginning'> & Partial<Pick<EventMark, 'severity'>>,
): EventMark {
  return { stage, severity: 'info', event, summary, ...more };
}
