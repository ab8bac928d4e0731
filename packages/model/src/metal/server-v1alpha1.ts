import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { object, string } from '../schema.ts';
import { admitServer } from './admit-server.ts';
import { convertServer } from './convert-server.ts';
import { METAL_CRD_LABELS } from './metal-group.ts';
import { serverColumns } from './server-columns.ts';
import { acceptedField, serverSpecFields, serverStatusSchema } from './server-schema.ts';

/** System fields as v1alpha1 knows them: without the UUID. */
export const systemInformationSchema = object(
  {},
  {
    manufacturer: string(),
    productName: string(),
    version: string(),
    serialNumber: string(),
    skuNumber: string(),
    family: string(),
  },
);

/** The one processor that v1alpha1 knows. */
export const cpuInformationSchema = object({}, { manufacturer: string(), version: string() });

/** Server as older manifests write it. */
export const serverV1alpha1 = defineKind({
  group: 'metal.sidero.dev',
  version: 'v1alpha1',
  kind: 'Server',
  plural: 'servers',
  scope: 'Cluster',
  storage: false,
  convert: convertServer,
  shortNames: ['srv'],
  categories: ['bloomery'],
  description: 'A physical machine, registered by its agent. Old version.',
  crdLabels: METAL_CRD_LABELS,
  admit: admitServer,
  columns: serverColumns([]),
  selectableFields: ['.status.phase'],
  properties: {
    spec: object(acceptedField, { ...serverSpecFields, system: systemInformationSchema, cpu: cpuInformationSchema }),
    status: serverStatusSchema,
  },
});

export type ServerV1alpha1 = ObjectOf<typeof serverV1alpha1>;
