import type { KindRef } from '../kind.ts';
import type { KubeObject } from '../object.ts';

/** core/v1 Pod, as far as emptying a Node of a workload cluster needs it. The embedded API serves none. */
export interface Pod extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly volumes?: readonly {
      readonly persistentVolumeClaim?: { readonly claimName?: string };
    }[];
  };
  readonly status?: { readonly phase?: string };
}

export const pod: KindRef<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  scope: 'Namespaced',
};

/** policy/v1 Eviction: asks for the deletion of the Pod of its name, which a PodDisruptionBudget may refuse (HTTP 429). */
export interface Eviction extends KubeObject {
  readonly deleteOptions?: {
    readonly gracePeriodSeconds?: number;
    readonly preconditions?: { readonly uid: string };
  };
}

/** Created below a Pod: `client.create(podEviction, eviction, { below: 'eviction' })`. */
export const podEviction: KindRef<Eviction> = { ...pod, kind: 'Eviction' };
