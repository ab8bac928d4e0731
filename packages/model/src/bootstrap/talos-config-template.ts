import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { object } from '../schema.ts';
import { templateMetadataSchema } from '../shared-schema.ts';
import { admitTalosConfigTemplate } from './admit-talos-config.ts';
import { convertTalosConfigTemplate } from './convert-talos-config.ts';
import { BOOTSTRAP_CRD_LABELS, talosConfigSpecSchema, talosConfigSpecV1alpha3Schema } from './talos-config-schema.ts';

const source = {
  group: 'bootstrap.cluster.x-k8s.io',
  kind: 'TalosConfigTemplate',
  plural: 'talosconfigtemplates',
  scope: 'Namespaced',
  categories: ['cluster-api', 'bloomery'],
  description: 'What TalosConfigs are made from. Its spec is immutable.',
  crdLabels: BOOTSTRAP_CRD_LABELS,
  admit: admitTalosConfigTemplate,
  columns: [
    { name: 'Type', path: '.spec.template.spec.generateType', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
  ],
} as const;

/** What TalosConfigs are made from. Stored version. */
export const talosConfigTemplate = defineKind({
  ...source,
  version: 'v1beta1',
  properties: {
    spec: object({ template: object({}, { metadata: templateMetadataSchema, spec: talosConfigSpecSchema }) }, {}),
  },
});

const older = {
  ...source,
  storage: false,
  properties: {
    spec: object(
      { template: object({}, { metadata: templateMetadataSchema, spec: talosConfigSpecV1alpha3Schema }) },
      {},
    ),
  },
} as const;

/** TalosConfigTemplate as Sidero-era templates write it. */
export const talosConfigTemplateV1alpha3 = defineKind({
  ...older,
  version: 'v1alpha3',
  convert: convertTalosConfigTemplate('v1alpha3'),
});

/** The oldest served name of v1alpha3. */
export const talosConfigTemplateV1alpha2 = defineKind({
  ...older,
  version: 'v1alpha2',
  convert: convertTalosConfigTemplate('v1alpha2'),
});

export type TalosConfigTemplate = ObjectOf<typeof talosConfigTemplate>;
export type TalosConfigTemplateV1alpha3 = ObjectOf<typeof talosConfigTemplateV1alpha3>;
