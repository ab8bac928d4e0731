import type { KindRef } from '../kind.ts';
import type { KubeObject } from '../object.ts';

/** storage.k8s.io/v1 VolumeAttachment: a volume that is to be attached to a Node. Of workload clusters only. */
export interface VolumeAttachment extends KubeObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly source?: { readonly persistentVolumeName?: string };
  };
  readonly status?: { readonly attached?: boolean };
}

export const volumeAttachment: KindRef<VolumeAttachment> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  plural: 'volumeattachments',
  scope: 'Cluster',
};

/** core/v1 PersistentVolumeClaim: `spec.volumeName` is the PersistentVolume. Of workload clusters only. */
export interface PersistentVolumeClaim extends KubeObject {
  readonly spec?: { readonly volumeName?: string };
}

export const persistentVolumeClaim: KindRef<PersistentVolumeClaim> = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  scope: 'Namespaced',
};
