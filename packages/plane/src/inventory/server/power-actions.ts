import { findObject, kubeTime, patchStatus, type ReconcileContext } from '@bloomery/kube';
import { metalMachine, type Server, server, serverBinding } from '@bloomery/model';
import type { BootSessions } from '../../boot/boot-sessions.ts';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { PowerClient, PxeMode } from '../../power/power-client.ts';
import { judgeWipe, type WipeBudget } from '../wipe-guard.ts';
import type { PowerAction } from './plan.ts';

/** What power actions work with. */
export interface PowerActionDeps {
  readonly context: ReconcileContext;
  readonly sessions: Pick<BootSessions, 'expectPowered'>;
  readonly budget: WipeBudget;
  readonly timeline: TimelineRecorder;
  readonly defaultPxeMode: PxeMode;
}

interface Outcome {
  readonly reason: 'PowerOn' | 'PowerOff' | 'PowerCycle';
  readonly message: string;
}

function pxeModeOf({ spec }: Server, fallback: PxeMode): PxeMode {
  return spec?.pxeMode === 'bios' || spec?.pxeMode === 'uefi' ? spec.pxeMode : fallback;
}

/**
 * Switch the machine. The power is read first; the intent is recorded before anything is sent; what destroys data asks the guard
 * again with what is true now. Does nothing when there is nothing left to do. Throws what the power client throws.
 */
export async function performPowerAction(
  about: Server,
  action: Exclude<PowerAction, 'none'>,
  power: PowerClient,
  deps: PowerActionDeps,
): Promise<void> {
  const { clock } = deps.context;
  const on = await power.isPoweredOn();
  const startedMs = clock.nowMs();
  const outcome =
    action === 'switchOff'
      ? await switchOff(about, on, power, deps)
      : action === 'bootEnvironment'
        ? await bootEnvironment(about, on, power, deps)
        : await bootAgent(about, on, power, deps);
  if (outcome === undefined) return;
  const { name } = about.metadata;
  recordPowerEvent(about, { type: 'Normal', ...outcome }, deps.context);
  deps.context.log.info('server.power', { server: name, action, took: outcome.reason });
  deps.timeline.record({
    source: 'bmc',
    about: { server: name },
    stage: outcome.reason,
    severity: 'info',
    event: outcome.reason,
    summary: outcome.message,
    durationMs: clock.nowMs() - startedMs,
  });
}

/** An Event about the Server and, while it is held by one, about its MetalMachine. */
export function recordPowerEvent(
  about: Server,
  event: Parameters<ReconcileContext['events']['record']>[1],
  { events, cache }: ReconcileContext,
): void {
  events.record(about, event);
  const [namespace, name] = about.status?.machine?.split('/') ?? [];
  const holder =
    namespace === undefined || name === undefined ? undefined : cache.get(metalMachine, { namespace, name });
  if (holder !== undefined) events.record(holder, event);
}

function intend(about: Server, action: PowerAction, { context }: PowerActionDeps, more: object = {}): Promise<Server> {
  const time = kubeTime(context.clock.nowMs());
  return patchStatus(context, server, { name: about.metadata.name }, () => ({
    powerIntent: { action, time },
    ...more,
  }));
}

async function switchOff(
  about: Server,
  on: boolean,
  power: PowerClient,
  deps: PowerActionDeps,
): Promise<Outcome | undefined> {
  const { name } = about.metadata;
  if (!on || (await findObject(deps.context.client, serverBinding, { name })) !== undefined) return undefined;
  await intend(about, 'switchOff', deps);
  await power.powerOff();
  return { reason: 'PowerOff', message: 'Server powered off.' };
}

async function bootEnvironment(
  about: Server,
  on: boolean,
  power: PowerClient,
  deps: PowerActionDeps,
): Promise<Outcome | undefined> {
  if (on) return undefined;
  await intend(about, 'bootEnvironment', deps);
  deps.sessions.expectPowered(about.metadata.name);
  await power.setPxeOnce(pxeModeOf(about, deps.defaultPxeMode));
  await power.powerOn();
  return { reason: 'PowerOn', message: 'Server powered on and set to PXE boot once into the environment.' };
}

async function bootAgent(
  about: Server,
  on: boolean,
  power: PowerClient,
  deps: PowerActionDeps,
): Promise<Outcome | undefined> {
  const { context } = deps;
  const { name } = about.metadata;
  const binding = await findObject(context.client, serverBinding, { name });
  const current = await context.client.get(server, { name });
  if (current.status?.isClean === true || !judgeWipe(current, binding).ok || !deps.budget.take(current))
    return undefined;
  const requestedAt = kubeTime(context.clock.nowMs());
  await intend(about, 'bootAgent', deps, { wipe: { requestedAt, startedAt: null, finishedAt: null } });
  deps.sessions.expectPowered(name);
  await power.setPxeOnce(pxeModeOf(current, deps.defaultPxeMode));
  await (on ? power.powerCycle() : power.powerOn());
  await patchStatus(context, server, { name }, ({ status }) => {
    // The agent may have been quicker than the BMC's answer.
    if (status?.isClean === true || status?.wipe?.startedAt !== undefined) return undefined;
    const time = kubeTime(context.clock.nowMs());
    return {
      conditions: [
        {
          type: 'PowerCycle',
          status: 'False',
          severity: 'Info',
          reason: 'InProgress',
          message: `Server power cycled for wiping at ${time}.`,
          lastTransitionTime: time,
        },
      ],
    };
  });
  return on
    ? { reason: 'PowerCycle', message: 'Server power cycled and set to PXE boot once.' }
    : { reason: 'PowerOn', message: 'Server powered on and set to PXE boot once.' };
}
