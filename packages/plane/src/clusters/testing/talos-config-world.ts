import { randomBytes } from 'node:crypto';
import type { ObjectCache, ReconcileContext, Requeue } from '@bloomery/kube';
import { findObject } from '@bloomery/kube';
import { createMemoryClient, type MemoryClient, type MemoryClientOptions } from '@bloomery/kube/testing';
import {
  type Cluster,
  cluster,
  type KindRef,
  type KubeObject,
  type Machine,
  machine,
  secret,
  type TalosConfig,
  talosConfig,
} from '@bloomery/model';
import { createFakeClock, type FakeClock, silentLog } from '@bloomery/ports';
import { createTalosConfigController } from '../talos-config/index.ts';

type Spec = NonNullable<TalosConfig['spec']>;

/** The TalosConfig of a `talosConfigWorld`. */
export const CONFIG_KEY = { name: 'cp-0', namespace: 'default' };

/** What is different from a control plane machine of a cluster whose infrastructure is ready. */
export interface WorldOptions {
  readonly machineSpec?: Partial<NonNullable<Machine['spec']>>;
  readonly infrastructureReady?: boolean;
  readonly config?: Partial<TalosConfig['metadata']>;
  readonly clusterSpec?: Partial<NonNullable<Cluster['spec']>>;
  /** Further objects from the start. */
  readonly objects?: readonly { readonly kind: KindRef; readonly object: KubeObject }[];
  /** Left out. */
  readonly without?: 'Machine' | 'Cluster';
  readonly intercept?: NonNullable<MemoryClientOptions['intercept']>;
}

/** A TalosConfig with its Machine and Cluster in memory, and the controller in front of it. */
export interface TalosConfigWorld {
  readonly client: MemoryClient;
  readonly clock: FakeClock;
  /** `Type Reason: message` of the Events so far. */
  readonly events: string[];
  reconcile(): Promise<Requeue>;
  config(): Promise<TalosConfig>;
  /** Text of a key of a Secret; undefined when there is none. */
  text(name: string, key: string): Promise<string | undefined>;
  /** Of the condition of this type. */
  condition(type: string): Promise<string | undefined>;
  patch(kind: KindRef, name: string, body: object, status?: boolean): Promise<void>;
}

/** Build the world. */
export function talosConfigWorld(spec: Spec, options: WorldOptions = {}): TalosConfigWorld {
  const clock = createFakeClock(Date.UTC(2026, 0, 2));
  const { intercept } = options;
  const client = createMemoryClient({
    clock,
    objects: seeds(spec, options),
    ...(intercept === undefined ? {} : { intercept }),
  });
  const events: string[] = [];
  const controller = createTalosConfigController({ random: (n) => randomBytes(n) });
  return {
    client,
    clock,
    events,
    async reconcile() {
      const machines = (await client.list(machine)).items;
      const cache: ObjectCache = {
        get: () => undefined,
        list: <T extends KubeObject>(kind: { readonly kind: string }) =>
          kind.kind === machine.kind ? (machines as readonly KubeObject[] as readonly T[]) : [],
      };
      const context: ReconcileContext = {
        client,
        cache,
        clock,
        log: silentLog,
        signal: new AbortController().signal,
        events: { record: (_about, event) => events.push(`${event.type} ${event.reason}: ${event.message}`) },
      };
      return await controller.reconcile(CONFIG_KEY, context);
    },
    config: () => client.get(talosConfig, CONFIG_KEY),
    async text(name, key) {
      const value = (await findObject(client, secret, { name, namespace: 'default' }))?.data?.[key];
      return value === undefined ? undefined : Buffer.from(value, 'base64').toString();
    },
    async condition(type) {
      const { status } = await client.get(talosConfig, CONFIG_KEY);
      const found = status?.conditions?.find((c) => c.type === type);
      return found === undefined ? undefined : `${found.status} ${found.reason}: ${found.message}`;
    },
    async patch(kind, name, body, status = false) {
      const key = { name, namespace: 'default' };
      await client.patch(kind, key, { type: 'merge', body: body as never }, status ? { subresource: 'status' } : {});
    },
  };
}

function seeds(spec: Spec, options: WorldOptions): { readonly kind: KindRef; readonly object: KubeObject }[] {
  const owner = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'Machine', name: 'cp-0', uid: 'm-uid' };
  const config: TalosConfig = {
    apiVersion: 'bootstrap.cluster.x-k8s.io/v1beta1',
    kind: 'TalosConfig',
    metadata: { ...CONFIG_KEY, ownerReferences: [owner], ...options.config },
    spec,
  };
  const owned: Machine = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Machine',
    metadata: { ...CONFIG_KEY, labels: { 'cluster.x-k8s.io/control-plane': '' } },
    spec: {
      clusterName: 'blue',
      bootstrap: { configRef: { kind: 'TalosConfig', name: 'cp-0' } },
      infrastructureRef: { kind: 'MetalMachine', name: 'metal-0' },
      version: 'v1.32.3',
      ...options.machineSpec,
    },
    status: { addresses: [{ type: 'InternalIP', address: '10.5.0.2' }] },
  };
  const whole: Cluster = {
    apiVersion: 'cluster.x-k8s.io/v1beta1',
    kind: 'Cluster',
    metadata: { name: 'blue', namespace: 'default' },
    spec: {
      controlPlaneEndpoint: { host: '10.5.0.10', port: 6443 },
      clusterNetwork: { pods: { cidrBlocks: ['10.1.0.0/16'] } },
      ...options.clusterSpec,
    },
    status: { infrastructureReady: options.infrastructureReady ?? true },
  };
  return [
    { kind: talosConfig, object: config },
    ...(options.without === 'Machine' ? [] : [{ kind: machine, object: owned }]),
    ...(options.without === 'Cluster' ? [] : [{ kind: cluster, object: whole }]),
    ...(options.objects ?? []),
  ];
}
