import {
  type Controller,
  findObject,
  isConditionTrue,
  patchObject,
  patchStatus,
  type ReconcileContext,
  type Requeue,
  setFinalizer,
  watchSource,
} from '@bloomery/kube';
import {
  ANNOTATIONS,
  cluster,
  FINALIZERS,
  metalMachine,
  type ObjectKey,
  type Server,
  type ServerBinding,
  server,
  serverBinding,
  WAIT_REASONS,
} from '@bloomery/model';
import { errorText, isBloomeryError } from '@bloomery/ports';
import type { BootSessions } from '../../boot/boot-sessions.ts';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { PowerClient, PxeMode } from '../../power/power-client.ts';
import type { PowerClients } from '../../power/power-clients.ts';
import type { WipeBudget } from '../wipe-guard.ts';
import { type BmcFailures, createBmcFailures } from './bmc-failures.ts';
import { planServer, type ServerInput, type ServerPlan } from './plan.ts';
import { type PowerActionDeps, performPowerAction, recordServerEvent } from './power-actions.ts';

export interface ServerControllerDeps {
  readonly powers: PowerClients;
  readonly sessions: Pick<BootSessions, 'expectPowered' | 'close'>;
  readonly timeline: TimelineRecorder;
  readonly budget: WipeBudget;
  /** How long an agent may be silent before its machine is power-cycled again. */
  readonly rebootTimeoutMs: number;
  /** Firmware of machines that do not say it in spec.pxeMode. */
  readonly defaultPxeMode: PxeMode;
}

/** Servers worked on at once; most of the time is spent waiting for BMCs. */
const CONCURRENCY = 10;
/** What the BMC said is shown for so long; every action reads again. */
const DISPLAY_AGE_MS = 10_000;
/** After an action: look whether the power followed. */
const AFTER_ACTION_MS = 20_000;

/** The controller of Server: power, wipe, phases, conditions, finalizer (metal.md §8, design §4). */
export function createServerController(deps: ServerControllerDeps): Controller<Server> {
  let failures: BmcFailures | undefined;
  return {
    name: 'server',
    kind: server,
    watches: [watchSource(serverBinding, ({ metadata }) => [{ name: metadata.name }])],
    writes: [
      'Server.metadata.finalizers',
      'Server.status.phase',
      'Server.status.waitingFor',
      'Server.status.power',
      'Server.status.powerIntent',
      'Server.status.inUse',
      'Server.status.ready',
      'Server.status.machine',
      'Server.status.cluster',
      'Server.status.wipe',
      'Server.status.arrivedAt',
      'Server.status.conditions.Ready',
      'Server.status.conditions.PXEBooted',
      'Server.status.conditions.BMCReachable',
    ],
    concurrency: CONCURRENCY,
    async reconcile(key, context) {
      failures ??= createBmcFailures(context.clock);
      try {
        return await reconcileServer(key, context, { ...deps, failures });
      } catch (error) {
        // The Server went away meanwhile: there is nothing left to do.
        if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
        if ((await findObject(context.client, server, key)) !== undefined) throw error;
        failures.forget(key.name);
        return {};
      }
    },
  };
}

interface Deps extends ServerControllerDeps {
  readonly failures: BmcFailures;
}

/** May what belongs to a Server that was copied here still be on its way? */
function isAwaited(
  { metadata, status }: Server,
  binding: ServerBinding | undefined,
  { cache }: ReconcileContext,
): boolean {
  if (binding !== undefined || (status?.phase !== undefined && status.arrivedAt === undefined)) return false;
  return (
    cache.list(cluster).some(({ spec }) => spec?.paused === true) ||
    cache.list(metalMachine).some((m) => m.spec?.serverRef?.name === metadata.name)
  );
}

interface PowerReading extends Pick<ServerInput, 'power' | 'powerError' | 'fake'> {
  readonly client: PowerClient | undefined;
}

async function reconcileServer(key: ObjectKey, context: ReconcileContext, deps: Deps): Promise<Requeue> {
  const { client, clock } = context;
  const { found, binding } = await readPair(key, context);
  if (found === undefined) {
    deps.failures.forget(key.name);
    return {};
  }
  if (found.metadata.deletionTimestamp !== undefined && binding === undefined) {
    await setFinalizer(client, server, key, FINALIZERS.server, 'absent');
    return {};
  }
  await consumeLoopReset(found, context);
  // Before the release shows: what ran there must not be believed, nor read secrets, with the token of its boot.
  if (binding === undefined && found.status?.inUse === true) deps.sessions.close(key.name);
  if (binding !== undefined && (found.metadata.ownerReferences ?? []).length > 0) {
    await patchObject(client, server, key, () => ({ metadata: { ownerReferences: null } }));
  }
  const awaited = isAwaited(found, binding, context);
  const reading = await readPower(found, deps.powers);
  const { client: power, ...state } = reading;
  const planWith = (current: Server, seen: Pick<ServerInput, 'binding' | 'power'>): ServerPlan =>
    planServer({
      ...state,
      ...seen,
      server: current,
      bmcFailure: deps.failures.held(current)?.message,
      budget: deps.budget.has(current),
      awaited,
      rebootTimeoutMs: deps.rebootTimeoutMs,
      nowMs: clock.nowMs(),
    });
  const plan = (current: Server): ServerPlan => planWith(current, { binding, power: state.power });
  let before = found;
  // Decided again for every attempt, so that a report that arrives meanwhile is never overwritten.
  const stored = await patchStatus(context, server, key, (current) => {
    before = current;
    return plan(current).status;
  });
  // After the first status: a finalizer without one tells that the Server was copied here.
  if (found.metadata.finalizers?.includes(FINALIZERS.server) !== true) {
    await setFinalizer(client, server, key, FINALIZERS.server, 'present');
  }
  const next = plan(stored);
  announce(before, stored, next, context, deps);
  if (power === undefined) return failed(stored, state.powerError ?? '', context, deps);
  const held = deps.failures.held(stored);
  if (held !== undefined) return { afterMs: held.retryMs };
  if (next.action === 'none') {
    deps.failures.forget(key.name);
    return requeueOf(next);
  }
  try {
    const decide: PowerActionDeps['decide'] = (current, bound, now) =>
      planWith(current, { binding: bound, power: now }).action;
    await performPowerAction(stored, next.action, power, { ...deps, context, decide });
    deps.failures.forget(key.name);
    return { afterMs: AFTER_ACTION_MS };
  } catch (error) {
    if (!isBloomeryError(error) || !error.code.startsWith('BLM_BMC_')) throw error;
    const retry = failed(stored, errorText(error), context, deps);
    await patchStatus(context, server, key, (current) => plan(current).status);
    return retry;
  }
}

function failed(about: Server, message: string, context: ReconcileContext, { failures }: Deps): Requeue {
  recordServerEvent(about, { type: 'Warning', reason: 'PowerFailed', message }, context);
  return { afterMs: failures.add(about, message).retryMs };
}

interface Pair {
  readonly found: Server | undefined;
  readonly binding: ServerBinding | undefined;
}

/**
 * The binding first: a release takes the Server's mark away before its binding goes, so that a mark without binding is one that
 * nobody released; unless the binding came between the two reads.
 */
async function readPair({ name }: ObjectKey, { client }: ReconcileContext): Promise<Pair> {
  const binding = await findObject(client, serverBinding, { name });
  const found = await findObject(client, server, { name });
  const isMarked = Object.hasOwn(found?.metadata.annotations ?? {}, ANNOTATIONS.boundTo);
  if (binding !== undefined || !isMarked) return { found, binding };
  return { found, binding: await findObject(client, serverBinding, { name }) };
}

function requeueOf({ requeueMs }: ServerPlan): Requeue {
  return requeueMs === undefined ? {} : { afterMs: requeueMs };
}

async function readPower(about: Server, powers: PowerClients): Promise<PowerReading> {
  try {
    const client = await powers.of(about);
    const on = client.isFake || (await powers.isPoweredOn(about, DISPLAY_AGE_MS));
    return { client, fake: client.isFake, power: on ? 'on' : 'off' };
  } catch (error) {
    // Whatever it is (also a Secret that may not be read): the Server is looked after without its BMC.
    return { client: undefined, fake: false, power: 'unknown', powerError: errorText(error) };
  }
}

/** The loop breaker's count is forgotten once, then the annotation goes. */
async function consumeLoopReset(found: Server, context: ReconcileContext): Promise<void> {
  if (!Object.hasOwn(found.metadata.annotations ?? {}, ANNOTATIONS.resetLoop)) return;
  const key = { name: found.metadata.name };
  await patchStatus(context, server, key, () => ({ wipe: { withoutAllocation: 0 } }));
  await patchObject(context.client, server, key, () => ({
    metadata: { annotations: { [ANNOTATIONS.resetLoop]: null } },
  }));
}

/** Events and timeline for what changed. */
function announce(
  before: Server,
  after: Server,
  { phase, wait }: ServerPlan,
  context: ReconcileContext,
  { timeline, sessions }: ServerControllerDeps,
): void {
  const { events, log } = context;
  const { name } = after.metadata;
  const isInstalled = ({ status }: Server): boolean => isConditionTrue(status?.conditions, 'PXEBooted');
  if (isInstalled(after) && !isInstalled(before)) sessions.close(name);
  const was = before.status?.phase;
  const oldReason = before.status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
  if (was === 'Discovered' && after.spec?.accepted === true) {
    events.record(after, { type: 'Normal', reason: 'Accepted', message: 'The Server was accepted.' });
  }
  if (wait !== undefined && wait.reason !== oldReason) {
    const stopped = phase === 'Parked';
    const reason = wait.reason === 'LoopDetected' ? 'LoopDetected' : stopped ? 'Parked' : wait.reason;
    const type = WAIT_REASONS[wait.reason].normal && !stopped ? 'Normal' : 'Warning';
    recordServerEvent(after, { type, reason, message: withoutTimes(wait.message) }, context);
  }
  if (was === phase) return;
  log.info('server.phase', { server: name, from: was ?? '', to: phase, reason: wait?.reason ?? '' });
  timeline.record({
    source: 'store',
    about: { server: name, ...(after.status?.machine === undefined ? {} : { metalMachine: after.status.machine }) },
    stage: phase,
    severity: phase === 'Parked' ? 'warning' : 'info',
    event: 'PhaseChanged',
    summary: `${was ?? 'new'} → ${phase}${wait === undefined ? '' : `: ${wait.message}`}`,
  });
}

/** Events fold only when their texts are equal. */
function withoutTimes(message: string): string {
  return message.replaceAll(/; last evidence: [^;]*/g, '');
}
