import { connect } from 'node:net';
import { createGrpcClient, type GrpcClient } from '@bloomery/grpc';
import { createObjectCache, type EventDraft, runInformer } from '@bloomery/kube';
import { createMemoryClient, type MemoryClientOptions } from '@bloomery/kube/testing';
import { type KubeObject, metalMachine, type ServerBinding, server, serverBinding } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import type { TimelineDraft } from '../../insight/timeline.ts';
import { createLinkAnnotations } from '../annotations.ts';
import { createAddressFilter } from '../events/address-filter.ts';
import { createEventCounts } from '../events/event-counts.ts';
import { createEventSink, type EventRecords } from '../events/event-sink.ts';
import { type EventSinkLimits, startEventSink } from '../events/start-event-sink.ts';

const INFRA = 'infrastructure.cluster.x-k8s.io/v1alpha3';

function objectsOf(name: string): NonNullable<MemoryClientOptions['objects']> {
  const metalMachineRef = { name: `machine-${name}`, namespace: 'default' };
  const labels = { 'cluster.x-k8s.io/cluster-name': 'west' };
  const objects: [typeof server | typeof serverBinding | typeof metalMachine, KubeObject & object][] = [
    [server, { apiVersion: 'metal.sidero.dev/v1alpha2', kind: 'Server', metadata: { name } }],
    [
      serverBinding,
      { apiVersion: INFRA, kind: 'ServerBinding', metadata: { name, labels }, ...{ spec: { metalMachineRef } } },
    ],
    [metalMachine, { apiVersion: INFRA, kind: 'MetalMachine', metadata: { ...metalMachineRef } }],
  ];
  return objects.map(([kind, object]) => ({ kind, object }));
}

/** What a test of the sink may change. */
export interface EventRigOptions {
  /** Names of machines; the machine at index i has link address 127.0.0.(i + 2). */
  readonly machines?: readonly string[];
  readonly intercept?: NonNullable<MemoryClientOptions['intercept']>;
  readonly limits?: Partial<EventSinkLimits>;
  readonly records?: EventRecords;
}

/** The sink on a loopback port with machines in a memory API, and all that it leaves behind. */
export async function startEventRig({ machines = ['a', 'b'], ...options }: EventRigOptions = {}) {
  const client = createMemoryClient({
    objects: machines.flatMap(objectsOf),
    ...(options.intercept === undefined ? {} : { intercept: options.intercept }),
  });
  const cache = createObjectCache();
  const stop = new AbortController();
  const deps = { client, cache, clock: systemClock, log: silentLog };
  const synced = [server, serverBinding, metalMachine].map(
    (kind) =>
      new Promise<void>((resolve) => void runInformer(kind, { ...deps, random: () => 0.5 }, resolve, stop.signal)),
  );
  await Promise.all(synced);
  const addresses = new Map(machines.map((name, i) => [`127.0.0.${i + 2}`, name]));
  const peers = { serverAt: (address: string) => addresses.get(address) };
  const lines: Record<string, unknown>[] = [];
  const timeline: TimelineDraft[] = [];
  const events: (EventDraft & { readonly about: string })[] = [];
  const counts = createEventCounts();
  const sink = createEventSink({
    ...deps,
    peers,
    annotations: createLinkAnnotations({ cache, peers }),
    events: { record: (about, draft) => void events.push({ ...draft, about: about.kind }) },
    timeline: { record: (draft) => void timeline.push(draft) },
    isExcludedAddress: createAddressFilter(['10.250.0.0/16']),
    records: options.records ?? { write: (line) => lines.push(JSON.parse(line)) > 0, drained: async () => {} },
    counts,
  });
  const limits = options.limits === undefined ? {} : { limits: options.limits };
  const listener = await startEventSink({ host: '127.0.0.1', port: 0 }, sink, { ...deps, ...limits });
  const { port } = listener.address;
  const dial = (localAddress: string) => connect({ host: '127.0.0.1', port, localAddress });
  const clients: GrpcClient[] = [];
  return {
    port,
    client,
    addresses,
    lines,
    timeline,
    events,
    counts,
    /** A raw connection from this address. */
    dial,
    /** A machine that publishes from this address. */
    machine: (localAddress = '127.0.0.2'): GrpcClient => {
      const made = createGrpcClient({
        address: listener.address,
        clock: systemClock,
        connect: () => dial(localAddress),
      });
      clients.push(made);
      return made;
    },
    binding: (name = 'a'): Promise<ServerBinding> => client.get(serverBinding, { name }),
    [Symbol.asyncDispose]: async () => {
      for (const made of clients) made.close();
      await listener[Symbol.asyncDispose]();
      stop.abort();
    },
  };
}
