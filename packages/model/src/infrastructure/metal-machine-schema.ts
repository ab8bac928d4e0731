import type { Column } from '../kind.ts';
import { object, string } from '../schema.ts';
import { objectReferenceSchema } from '../shared-schema.ts';
import { CLUSTER_LABEL_PATH, OWNER_MACHINE_PATH } from './infrastructure-group.ts';

/** MetalMachine.spec, also inside the template. */
export const metalMachineSpecSchema = object(
  {},
  {
    providerID: string({ description: '`sidero://<server>`, set on allocation.' }),
    serverRef: objectReferenceSchema,
    serverClassRef: objectReferenceSchema,
  },
);

/** MetalMachine.spec of the old version, also inside its template. */
export const metalMachineSpecV1alpha2Schema = object({}, { providerID: string(), serverRef: objectReferenceSchema });

/** Columns of MetalMachine (spec/ux.md §2.1). */
export const metalMachineColumns: readonly Column[] = [
  { name: 'Ready', path: '.status.ready', of: 'boolean' },
  { name: 'Cluster', path: CLUSTER_LABEL_PATH, of: 'string' },
  { name: 'Machine', path: OWNER_MACHINE_PATH, of: 'string' },
  { name: 'Server', path: '.spec.serverRef.name', of: 'string' },
  { name: 'Phase', path: '.status.phase', of: 'string' },
  { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
  { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
  { name: 'Address', path: '.status.addresses[?(@.type=="InternalIP")].address', of: 'string', wide: true },
  { name: 'ProviderID', path: '.spec.providerID', of: 'string', wide: true },
];
