import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { object } from '../schema.ts';
import { strategicPatchesSchema } from '../shared-schema.ts';
import { admitServer } from './admit-server.ts';
import { hardwareSchema } from './hardware-schema.ts';
import { METAL_CRD_LABELS } from './metal-group.ts';
import { serverColumns } from './server-columns.ts';
import { acceptedField, serverSpecFields, serverStatusSchema } from './server-schema.ts';

/** One physical machine, named by its SMBIOS UUID. Stored version. */
export const server = defineKind({
  group: 'metal.sidero.dev',
  version: 'v1alpha2',
  kind: 'Server',
  plural: 'servers',
  scope: 'Cluster',
  shortNames: ['srv'],
  categories: ['bloomery'],
  description: 'A physical machine, registered by its agent.',
  crdLabels: METAL_CRD_LABELS,
  admit: admitServer,
  columns: serverColumns([
    { name: 'CPU', path: '.spec.hardware.compute.totalCoreCount', of: 'integer', wide: true },
    { name: 'Memory', path: '.spec.hardware.memory.totalSize', of: 'string', wide: true },
    { name: 'Disks', path: '.spec.hardware.storage.totalSize', of: 'string', wide: true },
  ]),
  selectableFields: ['.status.phase'],
  properties: {
    spec: object(acceptedField, {
      ...serverSpecFields,
      hardware: hardwareSchema,
      strategicPatches: strategicPatchesSchema,
    }),
    status: serverStatusSchema,
  },
});

export type Server = ObjectOf<typeof server>;
