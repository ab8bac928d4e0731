import {
  type Column,
  defineKind,
  type FieldProblem,
  isJsonObject,
  type Json,
  type JsonObject,
  type KindDefinition,
  schema,
} from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { CUSTOM_RULES, type Resource, resourceOf } from './resource.ts';

/** Holds a CustomResourceDefinition until its objects are gone. */
export const CRD_CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

const COLUMN_TYPES = ['string', 'integer', 'number', 'boolean', 'date'] as const;

/** apiextensions.k8s.io/v1 CustomResourceDefinition. */
export const crdDefinition = defineKind({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  scope: 'Cluster',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  description: 'A kind that is added to the API.',
  columns: [{ name: 'Created At', path: '.metadata.creationTimestamp', of: 'string' }],
  properties: { spec: schema.openObject(), status: schema.openObject() },
  defaults: withCleanupFinalizer,
  admit: (object) => ({ problems: crdProblems(object) }),
});

function withCleanupFinalizer(object: JsonObject): JsonObject {
  const metadata = record(object['metadata']);
  if (metadata['deletionTimestamp'] !== undefined || metadata['resourceVersion'] !== undefined) return object;
  const finalizers = items(metadata['finalizers']);
  if (finalizers.includes(CRD_CLEANUP_FINALIZER)) return object;
  return { ...object, metadata: { ...metadata, finalizers: [...finalizers, CRD_CLEANUP_FINALIZER] } };
}

function crdProblems(object: JsonObject): FieldProblem[] {
  const spec = record(object['spec']);
  const names = record(spec['names']);
  const name = text(record(object['metadata'])['name']);
  const expected = `${text(names['plural'])}.${text(spec['group'])}`;
  const problems: FieldProblem[] = [];
  const refuse = (field: string, message: string): void => {
    problems.push({ field, reason: 'FieldValueInvalid', message });
  };
  if (name !== expected) {
    refuse('metadata.name', `Invalid value: "${name}": must be spec.names.plural+"."+spec.group`);
  }
  const versions = items(spec['versions']).map(record);
  if (versions.filter((v) => v['storage'] === true).length !== 1) {
    refuse('spec.versions', 'Invalid value: must have exactly one version marked as storage version');
  }
  if (spec['scope'] !== 'Cluster' && spec['scope'] !== 'Namespaced') {
    problems.push({
      field: 'spec.scope',
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(text(spec['scope']))}: supported values: "Cluster", "Namespaced"`,
    });
  }
  for (const [i, version] of versions.entries()) {
    if (isJsonObject(record(version['schema'])['openAPIV3Schema'])) continue;
    problems.push({
      field: `spec.versions[${i}].schema.openAPIV3Schema`,
      reason: 'FieldValueRequired',
      message: 'Required value: schemas are required',
    });
  }
  return problems;
}

/** The resource that a CustomResourceDefinition adds. It must have passed admission. */
export function resourceOfCrd(crd: ApiObject): Resource {
  const spec = record(crd['spec']);
  const names = record(spec['names']);
  const kind = text(names['kind']);
  const versions = items(spec['versions']).map(record);
  const definitions = versions.map((version): KindDefinition => {
    const root = record(record(version['schema'])['openAPIV3Schema']);
    const subresources = record(version['subresources']);
    const scale = subresources['scale'];
    return {
      group: text(spec['group']),
      version: text(version['name']),
      kind,
      plural: text(names['plural']),
      scope: spec['scope'] === 'Cluster' ? 'Cluster' : 'Namespaced',
      singular: text(names['singular']) || kind.toLowerCase(),
      listKind: text(names['listKind']) || `${kind}List`,
      shortNames: items(names['shortNames']).map(text),
      categories: items(names['categories']).map(text),
      storage: version['storage'] === true,
      schema: root as schema.Schema,
      columns: items(version['additionalPrinterColumns']).map(record).map(columnOf),
      statusSubresource: isJsonObject(subresources['status']),
      ...(isJsonObject(scale) ? { scale: scaleOf(scale) } : {}),
      selectableFields: items(version['selectableFields']).map((f) => text(record(f)['jsonPath'])),
      crdLabels: {},
    };
  });
  const served = definitions.filter((_, i) => versions[i]?.['served'] === true);
  return resourceOf(served, CUSTOM_RULES, definitions.find((d) => d.storage) ?? definitions[0]);
}

function columnOf(column: JsonObject): Column {
  const of = COLUMN_TYPES.find((type) => type === column['type']) ?? 'string';
  const description = text(column['description']);
  return {
    name: text(column['name']),
    path: text(column['jsonPath']),
    of,
    ...(typeof column['priority'] === 'number' && column['priority'] > 0 ? { wide: true } : {}),
    ...(description === '' ? {} : { description }),
  };
}

function scaleOf(scale: JsonObject): NonNullable<KindDefinition['scale']> {
  const selector = text(scale['labelSelectorPath']);
  return {
    specReplicasPath: text(scale['specReplicasPath']),
    statusReplicasPath: text(scale['statusReplicasPath']),
    ...(selector === '' ? {} : { labelSelectorPath: selector }),
  };
}

function record(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function items(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
