import type { ObjectOf } from '../kind.ts';
import { defineKind } from '../kind.ts';
import { admitTalosConfig } from './admit-talos-config.ts';
import { convertTalosConfig } from './convert-talos-config.ts';
import {
  BOOTSTRAP_CRD_LABELS,
  talosConfigColumns,
  talosConfigSpecSchema,
  talosConfigSpecV1alpha3Schema,
  talosConfigStatusSchema,
  talosConfigStatusV1alpha3Schema,
} from './talos-config-schema.ts';

const source = {
  group: 'bootstrap.cluster.x-k8s.io',
  kind: 'TalosConfig',
  plural: 'talosconfigs',
  scope: 'Namespaced',
  categories: ['cluster-api', 'bloomery'],
  description: 'How the machine config of one Machine is made.',
  crdLabels: BOOTSTRAP_CRD_LABELS,
  admit: admitTalosConfig,
} as const;

/** How the machine config of one Machine is made. Stored version. */
export const talosConfig = defineKind({
  ...source,
  version: 'v1beta1',
  columns: talosConfigColumns('.status.initialization.dataSecretCreated'),
  properties: { spec: talosConfigSpecSchema, status: talosConfigStatusSchema },
});

const older = {
  ...source,
  storage: false,
  columns: talosConfigColumns('.status.ready'),
  properties: { spec: talosConfigSpecV1alpha3Schema, status: talosConfigStatusV1alpha3Schema },
} as const;

/** TalosConfig as Sidero-era templates write it. */
export const talosConfigV1alpha3 = defineKind({
  ...older,
  version: 'v1alpha3',
  convert: convertTalosConfig('v1alpha3'),
});

/** The oldest served name of v1alpha3. */
export const talosConfigV1alpha2 = defineKind({
  ...older,
  version: 'v1alpha2',
  convert: convertTalosConfig('v1alpha2'),
});

export type TalosConfig = ObjectOf<typeof talosConfig>;
export type TalosConfigV1alpha3 = ObjectOf<typeof talosConfigV1alpha3>;
