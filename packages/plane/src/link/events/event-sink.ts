import { createServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { createGrpcHandler, type GrpcService, grpcError, grpcService } from '@bloomery/grpc';
import { type EventRecorder, type ObjectCache, type ObjectClient, patchObject, patchStatus } from '@bloomery/kube';
import { type JsonObject, metalMachine, type ServerBinding, server, serverBinding } from '@bloomery/model';
import {
  BloomeryError,
  type Clock,
  errorText,
  isBloomeryError,
  type Listen,
  type Logger,
  type Service,
} from '@bloomery/ports';
import { bareLinkAddress, decodeMachineEvent, type MachineEvent } from '@bloomery/siderolink';
import { eventsProto } from '@bloomery/wire';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { LinkPeers } from '../peers/link-peers.ts';
import type { AddressFilter } from './address-filter.ts';
import { type EventPlan, planEvent } from './plan-event.ts';

/** What the sink of machine events needs. */
export interface EventSinkDeps {
  readonly client: ObjectClient;
  readonly cache: ObjectCache;
  readonly peers: Pick<LinkPeers, 'serverAt'>;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly isExcludedAddress: AddressFilter;
}

const MAX_CONNECTIONS = 20_000;
const SEEN_IDS_MAX = 8_192;
const UNKNOWN_WAIT_MS = 2_000;
const UNKNOWN_POLL_MS = 100;

/**
 * `events.EventSinkService`: what machines report becomes addresses and conditions of their ServerBindings. Machines repeat
 * an event until it is answered with OK, so unknown types are accepted and only what may succeed later is refused.
 */
export function createEventSink(deps: EventSinkDeps): GrpcService {
  const isRepeated = createSeenIds();
  return grpcService(eventsProto.EventSinkService, {
    publish: async (request, { peer, signal }) => {
      if (request.data === undefined) throw grpcError('INVALID_ARGUMENT', 'the event has no data');
      const event = decode(request.data);
      if (event === undefined) return {};
      const linkAddress = bareLinkAddress(peer.host) ?? peer.host;
      const plan = planEvent(event, { linkAddress, isExcluded: deps.isExcludedAddress });
      deps.log.debug('link.event', { address: linkAddress, id: request.id, type: event.type });
      if (plan.spec === undefined && plan.conditions === undefined && plan.mark === undefined) return {};
      const name = await serverAt(linkAddress, deps, signal);
      const binding = await apply(name, plan, deps);
      if (!isRepeated(`${name}/${request.id}`)) leaveMarks(binding, plan, deps);
      return {};
    },
  });
}

/** Serve the sink on the link. */
export async function startEventSink(listen: Listen, sink: GrpcService, deps: EventSinkDeps): Promise<Service> {
  const http = createServer({ maxSessionInvalidFrames: 100 });
  http.maxConnections = MAX_CONNECTIONS;
  const sockets = new Set<Socket>();
  http.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  http.on('session', (session) => session.on('error', () => {}));
  http.on('stream', createGrpcHandler([sink], deps));
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(listen.port, listen.host, () => resolve());
  });
  http.on('error', (error) => deps.log.warn('link.event_sink_error', { error: errorText(error) }));
  const { address, port } = http.address() as AddressInfo;
  return {
    address: { host: address, port },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      // Machines are gone without a word: a polite end would wait for their answer.
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
  };
}

function decode(data: { readonly typeUrl: string; readonly value: Uint8Array }): MachineEvent | undefined {
  try {
    return decodeMachineEvent(data);
  } catch (cause) {
    throw grpcError('INVALID_ARGUMENT', 'the event cannot be decoded', cause);
  }
}

async function serverAt(address: string, { peers, clock }: EventSinkDeps, signal: AbortSignal): Promise<string> {
  const deadlineMs = clock.nowMs() + UNKNOWN_WAIT_MS;
  for (;;) {
    const name = peers.serverAt(address);
    if (name !== undefined) return name;
    if (signal.aborted || clock.nowMs() >= deadlineMs) throw grpcError('NOT_FOUND', 'no machine has this link address');
    await clock.sleep(UNKNOWN_POLL_MS, signal);
  }
}

/** Write what differs, and return the binding as it is then. */
async function apply(name: string, plan: EventPlan, deps: EventSinkDeps): Promise<ServerBinding> {
  const { spec, conditions } = plan;
  try {
    const key = { name };
    const binding =
      spec === undefined
        ? await deps.client.get(serverBinding, key)
        : await patchObject(deps.client, serverBinding, key, (have) => specPatch(have, spec));
    return conditions === undefined ? binding : await patchStatus(deps, serverBinding, key, () => ({ conditions }));
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_NOT_FOUND'))
      throw grpcError('NOT_FOUND', 'the machine is not allocated any more');
    deps.log.warn('link.event_not_stored', { server: name, error: errorText(error) });
    throw error instanceof BloomeryError ? grpcError('UNAVAILABLE', 'the event could not be stored', error) : error;
  }
}

function specPatch(
  have: ServerBinding,
  { addresses, hostname }: NonNullable<EventPlan['spec']>,
): JsonObject | undefined {
  const isSame =
    (have.spec?.hostname ?? '') === hostname &&
    JSON.stringify(have.spec?.addresses ?? []) === JSON.stringify(addresses);
  return isSame ? undefined : { spec: { addresses, hostname } };
}

function leaveMarks(binding: ServerBinding, { mark }: EventPlan, deps: EventSinkDeps): void {
  if (mark === undefined) return;
  const { kubeEvent, ...entry } = mark;
  const { name } = binding.metadata;
  deps.timeline.record({ ...entry, source: 'talos', about: { server: name } });
  if (kubeEvent !== true) return;
  const ref = binding.spec?.metalMachineRef;
  const about = [
    deps.cache.get(server, { name }),
    ref?.name === undefined
      ? undefined
      : deps.cache.get(metalMachine, { name: ref.name, namespace: ref.namespace ?? 'default' }),
  ];
  const type = mark.severity === 'info' ? 'Normal' : 'Warning';
  for (const object of about) {
    if (object !== undefined) deps.events.record(object, { type, reason: mark.event, message: mark.summary });
  }
}

/** Remembers the newest event ids: delivery is at least once. */
function createSeenIds(): (id: string) => boolean {
  const seen = new Set<string>();
  return (id) => {
    if (seen.has(id)) return true;
    seen.add(id);
    const [oldest] = seen;
    if (seen.size > SEEN_IDS_MAX && oldest !== undefined) seen.delete(oldest);
    return false;
  };
}
