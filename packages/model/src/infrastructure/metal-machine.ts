import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { boolean, object, string } from '../schema.ts';
import { conditionsSchema, machineAddressesSchema, waitingFields } from '../shared-schema.ts';
import { convertMetalMachine } from './convert-metal-machine.ts';
import { INFRASTRUCTURE_CRD_LABELS } from './infrastructure-group.ts';
import { metalMachineColumns, metalMachineSpecSchema, metalMachineSpecV1alpha2Schema } from './metal-machine-schema.ts';

/** A machine of a cluster, to be served by a Server. Stored version. */
export const metalMachine = defineKind({
  group: 'infrastructure.cluster.x-k8s.io',
  version: 'v1alpha3',
  kind: 'MetalMachine',
  plural: 'metalmachines',
  scope: 'Namespaced',
  shortNames: ['mm'],
  categories: ['cluster-api', 'bloomery'],
  description: 'A machine of a cluster, served by a Server.',
  crdLabels: INFRASTRUCTURE_CRD_LABELS,
  columns: metalMachineColumns,
  selectableFields: ['.status.phase'],
  properties: {
    spec: metalMachineSpecSchema,
    status: object(
      {},
      {
        ready: boolean({ description: 'A ServerBinding exists; the machine need not have booted.' }),
        addresses: machineAddressesSchema,
        failureReason: string(),
        failureMessage: string(),
        conditions: conditionsSchema,
        initialization: object({}, { provisioned: boolean() }),
        ...waitingFields,
      },
    ),
  },
});

/** MetalMachine as older manifests write it. */
export const metalMachineV1alpha2 = defineKind({
  group: 'infrastructure.cluster.x-k8s.io',
  version: 'v1alpha2',
  kind: 'MetalMachine',
  plural: 'metalmachines',
  scope: 'Namespaced',
  storage: false,
  convert: convertMetalMachine,
  shortNames: ['mm'],
  categories: ['cluster-api', 'bloomery'],
  description: 'A machine of a cluster, served by a Server. Old version.',
  crdLabels: INFRASTRUCTURE_CRD_LABELS,
  columns: metalMachineColumns,
  selectableFields: ['.status.phase'],
  properties: {
    spec: metalMachineSpecV1alpha2Schema,
    status: object({ ready: boolean() }, { errorReason: string(), errorMessage: string(), ...waitingFields }),
  },
});

export type MetalMachine = ObjectOf<typeof metalMachine>;
export type MetalMachineV1alpha2 = ObjectOf<typeof metalMachineV1alpha2>;
