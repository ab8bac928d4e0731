import { type CallContext, type GrpcService, grpcError, grpcService } from '@bloomery/grpc';
import type { EventRecorder, ObjectCache, ObjectClient } from '@bloomery/kube';
import type { ServerBinding } from '@bloomery/model';
import {
  BloomeryError,
  type Clock,
  errorText,
  hostPort,
  isBloomeryError,
  type Logger,
  type RecordFile,
} from '@bloomery/ports';
import { decodeMachineEvent, type MachineEvent } from '@bloomery/siderolink';
import { eventsProto } from '@bloomery/wire';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { LinkAnnotations } from '../annotations.ts';
import { recordAboutMachine } from '../bound-objects.ts';
import { canonicalAddress } from '../canonical-address.ts';
import type { LinkPeers } from '../peers/link-peers.ts';
import type { AddressFilter } from './address-filter.ts';
import { applyPlan } from './apply-event.ts';
import type { EventRefusal, WritableEventCounts } from './event-counts.ts';
import { eventLine } from './event-line.ts';
import { type EventMark, markOf } from './event-mark.ts';
import { createMachineTurns, type MachineMemory } from './machine-turns.ts';
import { type EventPlan, planEvent } from './plan-event.ts';
import { type EventKey, eventKey } from './seen-events.ts';

/** Where the lines of events go. */
export type EventRecords = Pick<RecordFile, 'write' | 'drained'>;

/** What the sink of machine events needs. */
export interface EventSinkDeps {
  readonly client: ObjectClient;
  /** Must hold ServerBindings, Servers and MetalMachines. */
  readonly cache: ObjectCache;
  readonly peers: Pick<LinkPeers, 'serverAt'>;
  readonly annotations: LinkAnnotations;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly isExcludedAddress: AddressFilter;
  readonly records: EventRecords;
  readonly counts: WritableEventCounts;
}

const UNKNOWN_WAIT_MS = 2_000;
const UNKNOWN_POLL_MS = 50;
const FULL_WAIT_MS = 2_000;

/** One event on its way. */
interface Delivery {
  readonly event: MachineEvent;
  readonly id: string;
  readonly typeUrl: string;
  readonly key: EventKey | undefined;
  readonly node: string;
  readonly linkAddress: string;
  readonly signal: AbortSignal;
}

/**
 * `events.EventSinkService`: what machines report becomes addresses and conditions of their ServerBindings, marks on their
 * timelines and lines in the log of events. A machine gives its events one after another and repeats each until it is answered
 * with OK, so an error is given only where a repetition can help, or where the event can never be read: a machine is then stuck
 * with its own mistake. Events of one machine are taken in the order in which they came, and a repeated one changes nothing.
 */
export function createEventSink(deps: EventSinkDeps): GrpcService {
  const turns = createMachineTurns(deps.clock);
  return grpcService(eventsProto.EventSinkService, {
    publish: async ({ data, id }, { peer, signal }: CallContext) => {
      if (data === undefined) throw refused('no_data', 'INVALID_ARGUMENT', 'the event has no data', deps);
      const event = decode(data, deps);
      deps.counts.received[event?.type ?? 'other'] += 1;
      if (event === undefined) return {};
      const { typeUrl } = data;
      const linkAddress = canonicalAddress(peer.host) ?? peer.host;
      const delivery = { event, id, typeUrl, key: eventKey(id, data), node: hostPort(peer), linkAddress, signal };
      await turns.run(linkAddress, (memory) => take(delivery, memory, deps), signal);
      return {};
    },
  });
}

function decode(
  data: { readonly typeUrl: string; readonly value: Uint8Array },
  deps: EventSinkDeps,
): MachineEvent | undefined {
  try {
    return decodeMachineEvent(data);
  } catch (cause) {
    throw refused('undecodable', 'INVALID_ARGUMENT', 'the event cannot be decoded', deps, cause);
  }
}

async function take(delivery: Delivery, memory: MachineMemory, deps: EventSinkDeps): Promise<void> {
  const { event, key, linkAddress } = delivery;
  if (key !== undefined && memory.seen.isRepeated(key)) {
    deps.counts.repeated += 1;
    return;
  }
  const plan = planEvent(event, { linkAddress, isExcluded: deps.isExcludedAddress });
  const name = await serverOf(delivery, plan, deps);
  const binding = name === undefined ? undefined : await store(name, plan, event, deps);
  if (key !== undefined) memory.seen.add(key);
  const mark = markOf(event, plan);
  if (name !== undefined && mark !== undefined) leaveMark(name, binding, mark, memory, deps);
  await writeLine(delivery, deps);
}

/** Upstream does not know of these, so that nothing waits for them: an unknown sender is none of their business. */
function mustBeStored(event: MachineEvent, plan: EventPlan): boolean {
  return event.type !== 'MachineStatusEvent' && (plan.spec !== undefined || plan.conditions !== undefined);
}

/** Who sent it. The first events may be faster than the news of the machine's address. */
async function serverOf(
  { event, linkAddress, signal }: Delivery,
  plan: EventPlan,
  deps: EventSinkDeps,
): Promise<string | undefined> {
  const { peers, clock } = deps;
  const deadlineMs = clock.nowMs() + UNKNOWN_WAIT_MS;
  for (;;) {
    const name = peers.serverAt(linkAddress);
    if (name !== undefined || !mustBeStored(event, plan)) return name;
    if (signal.aborted || clock.nowMs() >= deadlineMs) {
      throw refused('unknown_source', 'NOT_FOUND', 'no machine has this link address', deps);
    }
    await clock.sleep(UNKNOWN_POLL_MS, signal);
  }
}

async function store(
  name: string,
  plan: EventPlan,
  event: MachineEvent,
  deps: EventSinkDeps,
): Promise<ServerBinding | undefined> {
  try {
    return await applyPlan(name, plan, deps);
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_NOT_FOUND')) {
      if (!mustBeStored(event, plan)) return undefined;
      throw refused('unknown_source', 'NOT_FOUND', 'the machine is not allocated any more', deps);
    }
    deps.log.warn('link.event_not_stored', { server: name, type: event.type, error: errorText(error) });
    if (!(error instanceof BloomeryError)) throw error;
    throw refused('not_stored', 'UNAVAILABLE', 'the event could not be stored', deps, error);
  }
}

function refused(
  why: EventRefusal,
  status: Parameters<typeof grpcError>[0],
  message: string,
  { counts }: EventSinkDeps,
  cause?: unknown,
): BloomeryError {
  counts.refused[why] += 1;
  return grpcError(status, message, cause);
}

function leaveMark(
  name: string,
  binding: ServerBinding | undefined,
  mark: EventMark,
  memory: MachineMemory,
  deps: EventSinkDeps,
): void {
  const { kubeEvent, topic: _topic, isBeginning: _isBeginning, ...entry } = mark;
  const folded = memory.marks.offer(mark, deps.clock.nowMs());
  if (folded !== undefined) {
    const facts = folded === 0 ? {} : { facts: { ...entry.facts, folded } };
    deps.timeline.record({ ...entry, ...facts, source: 'talos', about: { server: name } });
  }
  if (kubeEvent !== true) return;
  const type = mark.severity === 'info' ? 'Normal' : 'Warning';
  recordAboutMachine(name, binding, { type, reason: mark.event, message: mark.summary }, deps);
}

/** A slow disk slows the machine that writes down for a while, and then loses the line: the file counts it. */
async function writeLine({ signal, linkAddress, ...line }: Delivery, deps: EventSinkDeps): Promise<void> {
  const { records, clock, annotations } = deps;
  const annotation = annotations.at(linkAddress);
  if (records.write(eventLine({ ...line, annotation, nowMs: clock.nowMs() }))) return;
  await Promise.race([records.drained(), clock.sleep(FULL_WAIT_MS, signal)]);
}
