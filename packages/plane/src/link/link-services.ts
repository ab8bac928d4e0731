import type { EventRecorder, ObjectCache, ObjectClient } from '@bloomery/kube';
import type { BoundAddress, Clock, Logger } from '@bloomery/ports';
import { LINK_PORT, type LinkIdentity } from '@bloomery/siderolink';
import type { TimelineRecorder } from '../insight/timeline.ts';
import { createLinkAnnotations } from './annotations.ts';
import { createAddressFilter } from './events/address-filter.ts';
import { createEventCounts, type WritableEventCounts } from './events/event-counts.ts';
import { createEventSink, type EventRecords } from './events/event-sink.ts';
import { startEventSink } from './events/start-event-sink.ts';
import { createKernelMarks } from './logs/kernel-marks.ts';
import { createLogCounts, type WritableLogCounts } from './logs/log-counts.ts';
import { startLogReceiver } from './logs/log-receiver.ts';
import type { LogStore } from './logs/log-store.ts';
import type { LinkPeers } from './peers/link-peers.ts';

/** How the services on the link behave. */
export interface LinkServicesOptions {
  /** CIDRs of addresses that machines report and that are left out. */
  readonly negativeAddressFilter: readonly string[];
}

/** What the services on the link need. */
export interface LinkServicesDeps {
  readonly identity: Pick<LinkIdentity, 'serverAddress'>;
  readonly client: ObjectClient;
  readonly cache: ObjectCache;
  readonly peers: Pick<LinkPeers, 'serverAt'>;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the lines of events go; nowhere unless given. It outlives the device. */
  readonly eventRecords?: EventRecords;
  /** Counted up by the event sink. */
  readonly eventCounts?: WritableEventCounts;
  /** Where kernel lines are kept; nowhere unless given. It outlives the device. */
  readonly logStore?: Pick<LogStore, 'write' | 'drained'>;
  /** Counted up by the receiver of kernel logs. */
  readonly logCounts?: WritableLogCounts;
}

/** What machines reach over the link; bound to the server's link address only. */
export interface LinkServices extends AsyncDisposable {
  readonly eventSink: BoundAddress;
  readonly logReceiver: BoundAddress;
}

const NO_RECORDS: EventRecords = { write: () => true, drained: async () => {} };

/** Start everything that listens on the link. The interface must have its address. */
export async function startLinkServices(options: LinkServicesOptions, deps: LinkServicesDeps): Promise<LinkServices> {
  const host = deps.identity.serverAddress;
  const annotations = createLinkAnnotations(deps);
  await using cleanup = new AsyncDisposableStack();
  const eventSink = createEventSink({
    ...deps,
    annotations,
    isExcludedAddress: createAddressFilter(options.negativeAddressFilter),
    records: deps.eventRecords ?? NO_RECORDS,
    counts: deps.eventCounts ?? createEventCounts(),
  });
  const sink = await startEventSink({ host, port: LINK_PORT.events }, eventSink, deps);
  cleanup.use(sink);
  const { clock, log, logStore: store = NO_RECORDS, logCounts: counts = createLogCounts() } = deps;
  const receiver = await startLogReceiver(
    { host, port: LINK_PORT.kernelLog },
    { annotations, store, counts, marks: createKernelMarks(deps), clock, log },
  );
  cleanup.use(receiver);
  const owned = cleanup.move();
  return {
    eventSink: sink.address,
    logReceiver: receiver.address,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
