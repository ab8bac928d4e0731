import { type ConditionChange, findCondition, isConditionTrue, type StatusPatch } from '@bloomery/kube';
import {
  ANNOTATIONS,
  FINALIZERS,
  LABELS,
  type Server,
  type ServerBinding,
  timeText,
  WAIT_REASONS,
  type WaitReason,
} from '@bloomery/model';
import { isServerPaused, judgeWipe } from '../wipe-guard.ts';
import { heldRelease, reported } from './binding-report.ts';
import { isServerPhase, type ServerPhase } from './server-phase.ts';

/** Everything that decides about a Server. Objects are read through the API, the binding before the Server. */
export interface ServerInput {
  readonly server: Server;
  readonly binding: ServerBinding | undefined;
  readonly power: 'on' | 'off' | 'unknown';
  /** Why the power is unknown. */
  readonly powerError?: string;
  /** What the BMC did not do a moment ago: it is not told anything until it is time to try again. */
  readonly bmcFailure?: string | undefined;
  /** There is no BMC: nothing can be switched. */
  readonly fake: boolean;
  /** The wipe budget allows the wipe of this (released) Server. */
  readonly budget: boolean;
  /** A MetalMachine names the Server, or a Cluster is paused: a move may be under way. */
  readonly awaited: boolean;
  readonly rebootTimeoutMs: number;
  readonly nowMs: number;
}

/** What to do to the power of the machine. */
export type PowerAction = 'none' | 'switchOff' | 'bootEnvironment' | 'bootAgent';

export interface ServerPlan {
  readonly phase: ServerPhase;
  readonly action: PowerAction;
  /** Absent when nothing is awaited. */
  readonly wait?: { readonly reason: WaitReason; readonly message: string };
  readonly status: StatusPatch;
  /** When to look again without a change. */
  readonly requeueMs?: number;
}

/** Look again at the power of machines that matter now, of idle ones, and after a BMC failed. metal.md §8 */
const WATCHED_POWER_MS = 60_000;
const IDLE_POWER_MS = 300_000;
const AFTER_FAILURE_MS = 20_000;
const BUDGET_RETRY_MS = 60_000;
/** BMCs tell the old state for some seconds after a power action. */
const SETTLE_MS = 20_000;
/** A power cycle that was recorded, and perhaps never sent because the plane died, is given this share of the reboot timeout. */
const UNCONFIRMED_SHARE = 1 / 3;

/** How long a Server that was copied here waits for its ServerBinding. `clusterctl move` takes seconds. */
const ARRIVAL_MS = 120_000;
const ARRIVAL_CHECK_MS = 5_000;

interface Decision {
  readonly phase: ServerPhase;
  readonly action?: PowerAction;
  readonly wait?: readonly [reason: WaitReason, message: string];
  readonly isClean?: boolean;
  readonly ready?: boolean;
  readonly requeueMs?: number;
}

/** Decide about a Server: its phase, its status and what to do to its power. Pure: the same input always gives the same plan. */
export function planServer(input: ServerInput): ServerPlan {
  const { binding } = input;
  const arrivedAt = arrivalOf(input);
  const server = withArrival(input.server, arrivedAt);
  const decision = decide({ ...input, server });
  const { phase, action = 'none', requeueMs = IDLE_POWER_MS } = decision;
  const allocated = binding !== undefined;
  const blocked = action !== 'none' && input.bmcFailure !== undefined;
  const unknown = (input.power === 'unknown' || blocked) && server.spec?.accepted === true;
  const wait: Decision['wait'] = blocked ? ['PowerUnknown', powerUnknown(input)] : decision.wait;
  const shown: ServerPlan['wait'] = wait === undefined ? undefined : { reason: wait[0], message: wait[1] };
  return {
    phase,
    action: blocked ? 'none' : action,
    ...(shown === undefined ? {} : { wait: shown }),
    ...(input.fake ? {} : { requeueMs: unknown ? Math.min(requeueMs, AFTER_FAILURE_MS) : requeueMs }),
    ...(input.fake && decision.requeueMs !== undefined ? { requeueMs: decision.requeueMs } : {}),
    status: {
      phase,
      waitingFor: shown === undefined ? null : WAIT_REASONS[shown.reason].short,
      power: input.power,
      inUse: allocated,
      isClean: decision.isClean ?? false,
      ready: decision.ready === true && !unknown,
      ...holder(binding),
      ...(allocated && server.status?.released?.binding !== binding.metadata.uid ? { released: null } : {}),
      ...(allocated && server.status?.wipe !== undefined ? { wipe: { withoutAllocation: 0 } } : {}),
      ...(arrivedAt === input.server.status?.arrivedAt ? {} : { arrivedAt: arrivedAt ?? null }),
      conditions: [...bootConditions(input), bmcCondition(input, blocked), readyCondition(shown)],
    },
  };
}

/**
 * Since when the Server waits for what belongs to it: one that comes with our finalizer and without a status was copied here, by
 * `clusterctl move` or out of a backup, and its ServerBinding may be the next object that is copied (sidero issue 977).
 */
function arrivalOf({ server, binding, awaited, nowMs }: ServerInput): string | undefined {
  const { metadata, status } = server;
  const isNew = status?.phase === undefined && metadata.finalizers?.includes(FINALIZERS.server) === true;
  const since = status?.arrivedAt ?? (isNew ? timeText(nowMs) : undefined);
  if (since === undefined || binding !== undefined) return undefined;
  return awaited || nowMs - Date.parse(since) < ARRIVAL_MS ? since : undefined;
}

function withArrival(server: Server, arrivedAt: string | undefined): Server {
  if (server.status?.arrivedAt === arrivedAt) return server;
  const { arrivedAt: _before, ...status } = server.status ?? {};
  return { ...server, status: arrivedAt === undefined ? status : { ...status, arrivedAt } };
}

function holder(binding: ServerBinding | undefined): StatusPatch {
  const { namespace, name } = binding?.spec?.metalMachineRef ?? {};
  return {
    machine: name === undefined ? null : namespace === undefined ? name : `${namespace}/${name}`,
    cluster: binding?.metadata.labels?.[LABELS.clusterName] ?? null,
  };
}

function bootConditions({ server, binding }: ServerInput): readonly ConditionChange[] {
  // A binding that vanished was not released: what was installed is still there, and boots from its disk.
  if (binding === undefined) return isMarkedBound(server) ? [] : [{ type: 'PXEBooted', status: null }];
  if (isConditionTrue(binding.status?.conditions, 'TalosInstalled')) {
    const had = isConditionTrue(server.status?.conditions, 'PXEBooted');
    return had ? [] : [{ type: 'PXEBooted', status: 'True' }];
  }
  // Released and bound again before anybody saw it free: what was installed belongs to the allocation before.
  const { released } = server.status ?? {};
  return released !== undefined && released.binding !== binding.metadata.uid
    ? [{ type: 'PXEBooted', status: null }]
    : [];
}

function bmcCondition(input: ServerInput, blocked: boolean): ConditionChange {
  if (input.power !== 'unknown' && !blocked) return { type: 'BMCReachable', status: null };
  const message = bmcTrouble(input);
  return { type: 'BMCReachable', status: 'False', severity: 'Warning', reason: 'PowerFailed', message };
}

function bmcTrouble({ powerError, bmcFailure }: ServerInput): string {
  return powerError ?? bmcFailure ?? 'the BMC cannot be used';
}

function readyCondition(wait: ServerPlan['wait']): ConditionChange {
  if (wait === undefined) return { type: 'Ready', status: 'True' };
  const severity = WAIT_REASONS[wait.reason].normal ? 'Info' : 'Warning';
  return { type: 'Ready', status: 'False', severity, reason: wait.reason, message: wait.message };
}

function decide(input: ServerInput): Decision {
  const { server, binding } = input;
  if (isServerPaused(server)) return decidePaused(input);
  if (server.spec?.accepted !== true) return decideUnaccepted(server, binding);
  if (binding !== undefined) return decideAllocated(input, binding);
  if (isMarkedBound(server)) return parked(server);
  if (server.status?.arrivedAt !== undefined) return { ...parked(server), requeueMs: ARRIVAL_CHECK_MS };
  return server.status?.isClean === true ? decideClean(input) : decideDirty(input);
}

function isMarkedBound({ metadata }: Server): boolean {
  return Object.hasOwn(metadata.annotations ?? {}, ANNOTATIONS.boundTo);
}

/** No power action ever; what runs there runs on. */
function decideUnaccepted({ metadata: { name } }: Server, binding: ServerBinding | undefined): Decision {
  const next = `next: bloomery accept ${name}`;
  if (binding === undefined) {
    return { phase: 'Discovered', wait: ['WaitingForAccept', `waiting for somebody to accept the Server; ${next}`] };
  }
  const message = `the Server is in use and not accepted: it is left as it is and not wiped when it is released; ${next}`;
  return { phase: reported(binding)?.phase ?? 'Reserved', wait: ['WaitingForAccept', message] };
}

/** What the guard holds back, whether it counts as clean or not: nobody knows what runs there. */
function parked(server: Server): Decision {
  const verdict = judgeWipe(server, undefined);
  return verdict.ok ? { phase: 'Parked' } : { phase: 'Parked', wait: [verdict.reason, verdict.message] };
}

/** Nothing changes but what the binding and the agent report. */
function decidePaused({ server, binding }: ServerInput): Decision {
  const { phase, isClean } = server.status ?? {};
  const clean = isClean === true && binding === undefined && server.spec?.accepted === true;
  return {
    phase: isServerPhase(phase) ? phase : 'Discovered',
    wait: ['Paused', 'the Server is paused and left alone; next: take the annotation away'],
    isClean: clean,
    ready: server.status?.ready === true,
  };
}

function decideAllocated(input: ServerInput, binding: ServerBinding): Decision {
  const { server, power, fake } = input;
  const base = { ready: true, requeueMs: WATCHED_POWER_MS } as const;
  const held = heldRelease(binding);
  if (binding.metadata.deletionTimestamp !== undefined && held === undefined) {
    return {
      ...base,
      phase: 'Releasing',
      wait: ['Releasing', 'the ServerBinding is being deleted; the Server is wiped next'],
    };
  }
  const action = power === 'off' && !isSettling(input, 'bootEnvironment') ? 'bootEnvironment' : 'none';
  const progress = reported(binding);
  if (held !== undefined) return { ...base, phase: progress?.phase ?? 'Reserved', action, wait: held };
  if (progress?.wait !== undefined) return { ...base, ...progress, action };
  if (power === 'unknown') {
    return { ...base, phase: progress?.phase ?? 'Reserved', wait: ['PowerUnknown', powerUnknown(input)] };
  }
  if (progress !== undefined) return { ...base, ...progress, action };
  if (power === 'off') {
    const message = 'the Server is allocated and off; next: it is powered on towards its operating system';
    return { ...base, phase: 'Reserved', action, wait: ['WaitingForPowerOn', message] };
  }
  if (fake) {
    const message =
      'the Server is allocated and has no BMC; next: it boots its operating system at its next network boot, restart it by hand if it does not by itself';
    return { ready: true, phase: 'Reserved', wait: ['WaitingForNetworkBoot', message] };
  }
  const since = server.status?.powerIntent?.time ?? '';
  const evidence = since === '' ? 'it is on' : `last evidence: powered at ${since}`;
  const message = `waiting for the operating system to report; ${evidence}; next: see bloomery timeline server/${server.metadata.name}`;
  return { ...base, phase: 'Booting', wait: ['WaitingForSystem', message] };
}

/** Was this action begun a moment ago? */
function isSettling({ server, nowMs }: ServerInput, action: PowerAction): boolean {
  const intent = server.status?.powerIntent;
  return intent?.action === action && nowMs - Date.parse(intent.time) < SETTLE_MS;
}

function decideClean(input: ServerInput): Decision {
  const { server, power } = input;
  const cordoned = server.spec?.cordoned === true;
  return {
    phase: cordoned ? 'Cordoned' : 'Available',
    ...(power === 'unknown' ? { wait: ['PowerUnknown', powerUnknown(input)] as const } : {}),
    action: power === 'on' && !input.fake && !isSettling(input, 'switchOff') ? 'switchOff' : 'none',
    isClean: true,
    ready: true,
  };
}

function decideDirty(input: ServerInput): Decision {
  const { server, power, fake, nowMs, rebootTimeoutMs } = input;
  const watch = Math.min(rebootTimeoutMs / 3, WATCHED_POWER_MS);
  if (!judgeWipe(server, undefined).ok) return parked(server);
  const cycle = findCondition(server.status?.conditions, 'PowerCycle');
  const ageMs = cycle?.status === 'False' ? nowMs - Date.parse(cycle.lastTransitionTime) : Number.POSITIVE_INFINITY;
  const { released, wipe: { startedAt, finishedAt } = {} } = server.status ?? {};
  const wiping = startedAt !== undefined && finishedAt === undefined;
  if (ageMs < rebootTimeoutMs && wiping) {
    const message = `the agent is wiping the disks; last evidence: its sign of life at ${cycle?.lastTransitionTime}; next: it reports`;
    return { phase: 'Wiping', wait: ['Wiping', message], requeueMs: watch };
  }
  const wipedSince = Date.parse(finishedAt ?? '') >= Date.parse(released?.time ?? '');
  const phase = released === undefined || wipedSince ? 'Accepted' : 'Releasing';
  if (!input.budget) {
    const message = 'the wipe budget of released Servers is spent; next: this Server is wiped when the hour has passed';
    return { phase, wait: ['WipeBudgetSpent', message], requeueMs: BUDGET_RETRY_MS };
  }
  if (fake) {
    const message =
      'the Server has no BMC; next: it is wiped at its next network boot, restart it by hand if it does not by itself';
    return { phase, wait: ['WaitingForNetworkBoot', message] };
  }
  if (ageMs < rebootTimeoutMs) {
    const message = `waiting for the agent; last evidence: powered towards the network at ${cycle?.lastTransitionTime}; next: it is power-cycled again when it does not report`;
    return { phase, wait: ['WaitingForAgent', message], requeueMs: watch };
  }
  if (power === 'unknown') return { phase, wait: ['PowerUnknown', powerUnknown(input)] };
  const intent = unconfirmedCycle(input);
  if (intent !== undefined && power === 'on') {
    const message = `waiting for the agent; last evidence: a power cycle was begun at ${intent} and its end not seen; next: it is power-cycled again when it does not report`;
    return { phase, wait: ['WaitingForAgent', message], requeueMs: watch };
  }
  const message = 'the Server is to be wiped; next: it is powered towards the network to boot its agent';
  return { phase, action: 'bootAgent', wait: ['WaitingForAgent', message], requeueMs: watch };
}

/** When a boot of the agent was recorded whose success was not: the plane died, or the BMC's answer was lost. */
function unconfirmedCycle({ server, nowMs, rebootTimeoutMs }: ServerInput): string | undefined {
  const { powerIntent, wipe, conditions } = server.status ?? {};
  if (powerIntent?.action !== 'bootAgent' || wipe?.finishedAt !== undefined) return undefined;
  const atMs = Date.parse(powerIntent.time);
  if (Date.parse(findCondition(conditions, 'PowerCycle')?.lastTransitionTime ?? '') >= atMs) return undefined;
  return nowMs - atMs < rebootTimeoutMs * UNCONFIRMED_SHARE ? powerIntent.time : undefined;
}

function powerUnknown(input: ServerInput): string {
  return `waiting for the BMC; last evidence: ${bmcTrouble(input)}; next: it is asked again by itself`;
}
