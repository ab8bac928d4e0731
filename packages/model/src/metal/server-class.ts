import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { list, object } from '../schema.ts';
import { strategicPatchesSchema } from '../shared-schema.ts';
import { admitServerClass } from './admit-server-class.ts';
import { hardwareSchema } from './hardware-schema.ts';
import { METAL_CRD_LABELS } from './metal-group.ts';
import {
  labelSelectorsField,
  serverClassColumns,
  serverClassSpecFields,
  serverClassStatusSchema,
} from './server-class-schema.ts';

/** A set of Servers by labels and hardware. Stored version. */
export const serverClass = defineKind({
  group: 'metal.sidero.dev',
  version: 'v1alpha2',
  kind: 'ServerClass',
  plural: 'serverclasses',
  scope: 'Cluster',
  shortNames: ['sclass'],
  categories: ['bloomery'],
  description: 'A set of Servers, chosen by labels and hardware, from which machines are allocated.',
  crdLabels: METAL_CRD_LABELS,
  admit: admitServerClass,
  columns: serverClassColumns,
  properties: {
    spec: object(
      {},
      {
        ...serverClassSpecFields,
        qualifiers: object({}, { hardware: list(hardwareSchema), ...labelSelectorsField }),
        strategicPatches: strategicPatchesSchema,
      },
    ),
    status: serverClassStatusSchema,
  },
});

export type ServerClass = ObjectOf<typeof serverClass>;
