import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { list, object } from '../schema.ts';
import { admitServerClass } from './admit-server-class.ts';
import { convertServerClass } from './convert-server-class.ts';
import { METAL_CRD_LABELS } from './metal-group.ts';
import {
  labelSelectorsField,
  serverClassColumns,
  serverClassSpecFields,
  serverClassStatusSchema,
} from './server-class-schema.ts';
import { cpuInformationSchema, systemInformationSchema } from './server-v1alpha1.ts';

/** ServerClass as older manifests write it. */
export const serverClassV1alpha1 = defineKind({
  group: 'metal.sidero.dev',
  version: 'v1alpha1',
  kind: 'ServerClass',
  plural: 'serverclasses',
  scope: 'Cluster',
  storage: false,
  convert: convertServerClass,
  shortNames: ['sclass'],
  categories: ['bloomery'],
  description: 'A set of Servers, chosen by labels and hardware. Old version.',
  crdLabels: METAL_CRD_LABELS,
  admit: admitServerClass,
  columns: serverClassColumns,
  properties: {
    spec: object(
      {},
      {
        ...serverClassSpecFields,
        qualifiers: object(
          {},
          {
            cpu: list(cpuInformationSchema),
            systemInformation: list(systemInformationSchema),
            ...labelSelectorsField,
          },
        ),
      },
    ),
    status: serverClassStatusSchema,
  },
});

export type ServerClassV1alpha1 = ObjectOf<typeof serverClassV1alpha1>;
