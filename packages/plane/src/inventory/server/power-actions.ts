import { findObject, kubeTime, patchStatus, type ReconcileContext } from '@bloomery/kube';
import { metalMachine, type Server, type ServerBinding, server, serverBinding } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { BootSessions } from '../../boot/boot-sessions.ts';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { PowerClient, PxeMode } from '../../power/power-client.ts';
import { isServerPaused, judgeWipe, type WipeBudget } from '../wipe-guard.ts';
import type { PowerAction } from './plan.ts';

/** What power actions work with. */
export interface PowerActionDeps {
  readonly context: ReconcileContext;
  readonly sessions: Pick<BootSessions, 'expectPowered'>;
  readonly budget: WipeBudget;
  readonly timeline: TimelineRecorder;
  readonly defaultPxeMode: PxeMode;
  /** What is to be done to the Server as it is now. Pure. */
  readonly decide: (current: Server, binding: ServerBinding | undefined, power: 'on' | 'off') => PowerAction;
}

type Action = Exclude<PowerAction, 'none'>;

interface Outcome {
  readonly reason: 'PowerOn' | 'PowerOff' | 'PowerCycle';
  readonly message: string;
}

function pxeModeOf({ spec }: Server, fallback: PxeMode): PxeMode {
  return spec?.pxeMode === 'bios' || spec?.pxeMode === 'uefi' ? spec.pxeMode : fallback;
}

/**
 * Switch the machine. Power, binding and Server are read and decided about once more, and the intent is recorded under the
 * revision that was decided about, before anything is sent. Does nothing when something else is right by now.
 * Throws what the power client throws.
 */
export async function performPowerAction(
  about: Server,
  action: Action,
  power: PowerClient,
  deps: PowerActionDeps,
): Promise<void> {
  const { clock, client } = deps.context;
  const { name } = about.metadata;
  const on = await power.isPoweredOn();
  const startedMs = clock.nowMs();
  const binding = await findObject(client, serverBinding, { name });
  const current = await intend(name, action, (now) => deps.decide(now, binding, on ? 'on' : 'off'), deps);
  if (current === undefined) return;
  const outcome = await send(current, action, on, power, deps);
  if (outcome === undefined) return;
  if (action === 'bootAgent') await recordCycle(name, deps);
  recordServerEvent(current, { type: 'Normal', ...outcome }, deps.context);
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
export function recordServerEvent(
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

/** Record what is about to be sent; undefined when it is not what is to be done any more. */
async function intend(
  name: string,
  action: Action,
  decide: (current: Server) => PowerAction,
  { context, budget }: PowerActionDeps,
): Promise<Server | undefined> {
  let begun = false;
  const stored = await patchStatus(context, server, { name }, (current) => {
    begun = decide(current) === action && (action !== 'bootAgent' || budget.take(current));
    if (!begun) return undefined;
    const time = kubeTime(context.clock.nowMs());
    const wipe = { requestedAt: time, startedAt: null, finishedAt: null };
    return { powerIntent: { action, time }, ...(action === 'bootAgent' ? { wipe } : {}) };
  });
  return begun ? stored : undefined;
}

async function send(
  about: Server,
  action: Action,
  on: boolean,
  power: PowerClient,
  deps: PowerActionDeps,
): Promise<Outcome | undefined> {
  const { name } = about.metadata;
  const forget = () => patchStatus(deps.context, server, { name }, () => ({ powerIntent: null }));
  let sent = false;
  try {
    if (action !== 'switchOff') {
      deps.sessions.expectPowered(name);
      await power.setPxeOnce(pxeModeOf(about, deps.defaultPxeMode));
    }
    // Some BMCs take seconds for the boot flags.
    if (!(await isStillRight(name, action, deps))) {
      await forget();
      return undefined;
    }
    sent = true;
    if (action === 'switchOff') await power.powerOff();
    else await (on && action === 'bootAgent' ? power.powerCycle() : power.powerOn());
  } catch (error) {
    // What the BMC refused did not happen. What it left unanswered may have: then the intent stays and is waited for.
    if (!sent || !isBloomeryError(error, 'BLM_BMC_UNREACHABLE')) await forget();
    throw error;
  }
  if (action === 'switchOff') return { reason: 'PowerOff', message: 'Server powered off.' };
  if (action === 'bootEnvironment') {
    return { reason: 'PowerOn', message: 'Server powered on and set to PXE boot once into the environment.' };
  }
  return on
    ? { reason: 'PowerCycle', message: 'Server power cycled and set to PXE boot once.' }
    : { reason: 'PowerOn', message: 'Server powered on and set to PXE boot once.' };
}

/** The last look before the power is switched: accepted, not paused, and in use only where its system is to be booted. */
async function isStillRight(name: string, action: Action, { context: { client } }: PowerActionDeps): Promise<boolean> {
  const binding = await findObject(client, serverBinding, { name });
  const now = await findObject(client, server, { name });
  if (now?.spec?.accepted !== true || isServerPaused(now)) return false;
  if (action === 'bootEnvironment') return binding !== undefined;
  return binding === undefined && (action === 'switchOff' || judgeWipe(now, binding).ok);
}

async function recordCycle(name: string, { context }: PowerActionDeps): Promise<void> {
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
}
