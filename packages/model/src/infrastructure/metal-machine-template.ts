import { immutableSpec } from '../immutable-spec.ts';
import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { object } from '../schema.ts';
import { templateMetadataSchema } from '../shared-schema.ts';
import { convertMetalMachineTemplate } from './convert-metal-machine.ts';
import { INFRASTRUCTURE_CRD_LABELS } from './infrastructure-group.ts';
import { metalMachineSpecSchema, metalMachineSpecV1alpha2Schema } from './metal-machine-schema.ts';

/** What MetalMachines are made from; its spec never changes. Stored version. */
export const metalMachineTemplate = defineKind({
  group: 'infrastructure.cluster.x-k8s.io',
  version: 'v1alpha3',
  kind: 'MetalMachineTemplate',
  plural: 'metalmachinetemplates',
  scope: 'Namespaced',
  categories: ['cluster-api', 'bloomery'],
  description: 'What MetalMachines are made from. Its spec is immutable.',
  crdLabels: INFRASTRUCTURE_CRD_LABELS,
  admit: immutableSpec('MetalMachineTemplate'),
  statusSubresource: false,
  columns: [{ name: 'Age', path: '.metadata.creationTimestamp', of: 'date' }],
  properties: {
    spec: object({ template: object({ spec: metalMachineSpecSchema }, { metadata: templateMetadataSchema }) }, {}),
    status: object({}, {}),
  },
});

/** MetalMachineTemplate as older manifests write it. */
export const metalMachineTemplateV1alpha2 = defineKind({
  group: 'infrastructure.cluster.x-k8s.io',
  version: 'v1alpha2',
  kind: 'MetalMachineTemplate',
  plural: 'metalmachinetemplates',
  scope: 'Namespaced',
  storage: false,
  convert: convertMetalMachineTemplate,
  categories: ['cluster-api', 'bloomery'],
  description: 'What MetalMachines are made from. Old version.',
  crdLabels: INFRASTRUCTURE_CRD_LABELS,
  admit: immutableSpec('MetalMachineTemplate'),
  statusSubresource: false,
  columns: [{ name: 'Age', path: '.metadata.creationTimestamp', of: 'date' }],
  properties: {
    spec: object({ template: object({ spec: metalMachineSpecV1alpha2Schema }, {}) }, {}),
    status: object({}, {}),
  },
});

export type MetalMachineTemplate = ObjectOf<typeof metalMachineTemplate>;
export type MetalMachineTemplateV1alpha2 = ObjectOf<typeof metalMachineTemplateV1alpha2>;
