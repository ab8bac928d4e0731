import type { Column } from '../kind.ts';
import { boolean, integer, object, oneOfStrings, string } from '../schema.ts';
import {
  conditionsSchema,
  configPatchesSchema,
  metaConditionsSchema,
  strategicPatchesSchema,
} from '../shared-schema.ts';

/** Labels of the CRDs of the bootstrap group: the contract map that Cluster API reads. */
export const BOOTSTRAP_CRD_LABELS = {
  'cluster.x-k8s.io/provider': 'bootstrap-talos',
  'cluster.x-k8s.io/v1alpha3': 'v1alpha3',
  'cluster.x-k8s.io/v1alpha4': 'v1alpha3',
  'cluster.x-k8s.io/v1beta1': 'v1alpha3',
  'cluster.x-k8s.io/v1beta2': 'v1beta1',
} as const;

const fields = {
  talosVersion: string({ description: 'As `v1.11`; the newest contract when empty.' }),
  data: string({ description: 'The machine config itself, with generateType none.' }),
  configPatches: configPatchesSchema,
  strategicPatches: strategicPatchesSchema,
  hostname: object({}, { source: string({ description: 'MachineName or InfrastructureName; empty for neither.' }) }),
};

/** TalosConfig.spec, stored version; also inside templates and TalosControlPlane. */
export const talosConfigSpecSchema = object(
  { generateType: oneOfStrings(['controlplane', 'worker', 'init', 'none']) },
  fields,
);

/** TalosConfig.spec of the older versions: any generateType is let through, `join` among them. */
export const talosConfigSpecV1alpha3Schema = object({ generateType: string() }, fields);

const waitingForSchema = string({
  maxLength: 40,
  description: 'What the TalosConfig waits for; absent when for nothing.',
});

/** TalosConfig.status, stored version. */
export const talosConfigStatusSchema = object(
  {},
  {
    initialization: object({}, { dataSecretCreated: boolean() }),
    dataSecretName: string(),
    waitingFor: waitingForSchema,
    observedGeneration: integer({ format: 'int64' }),
    conditions: metaConditionsSchema,
    deprecated: object(
      {},
      {
        v1beta: object(
          {},
          {
            conditions: conditionsSchema,
            failureReason: string(),
            failureMessage: string(),
            talosConfig: string({ description: 'Deprecated: kept from v1alpha3.' }),
          },
        ),
      },
    ),
  },
);

/** TalosConfig.status of the older versions. */
export const talosConfigStatusV1alpha3Schema = object(
  {},
  {
    ready: boolean(),
    dataSecretName: string(),
    talosConfig: string({ description: 'Deprecated: the whole talosconfig.' }),
    failureReason: string(),
    failureMessage: string(),
    waitingFor: waitingForSchema,
    observedGeneration: integer({ format: 'int64' }),
    conditions: conditionsSchema,
    v1beta2Status: object({}, { conditions: metaConditionsSchema }),
  },
);

/** Columns of TalosConfig (spec/ux.md §2.1); `ready` is where the version keeps it. */
export function talosConfigColumns(ready: string): readonly Column[] {
  return [
    { name: 'Cluster', path: '.metadata.labels.cluster\\.x-k8s\\.io/cluster-name', of: 'string' },
    { name: 'Machine', path: '.metadata.ownerReferences[?(@.kind=="Machine")].name', of: 'string' },
    { name: 'Type', path: '.spec.generateType', of: 'string' },
    { name: 'Ready', path: ready, of: 'boolean' },
    { name: 'Data Secret', path: '.status.dataSecretName', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Talos', path: '.spec.talosVersion', of: 'string', wide: true },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string', wide: true },
  ];
}
