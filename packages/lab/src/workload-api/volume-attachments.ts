import type { VirtualResource } from '@bloomery/kube';
import { defineKind } from '@bloomery/model';

/** Who deletes a Machine asks for the volumes of its Node; upstream's Cluster API waits for ever where the kind is absent. */
export const noVolumeAttachments: VirtualResource = {
  kind: defineKind({
    group: 'storage.k8s.io',
    version: 'v1',
    kind: 'VolumeAttachment',
    plural: 'volumeattachments',
    scope: 'Cluster',
    description: 'A volume that is to be attached to a Node. Nothing attaches volumes here.',
    properties: {},
  }),
  list: () => [],
  get: () => undefined,
};
