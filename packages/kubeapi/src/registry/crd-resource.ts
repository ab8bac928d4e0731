import {
  type Column,
  compareVersions,
  defineKind,
  isJsonObject,
  type JsonObject,
  type KindDefinition,
  type schema,
} from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { items, record, text } from '../json-parts.ts';
import { conversionWebhookOf } from '../webhooks/conversion-webhook-of.ts';
import { CRD_SPEC_SCHEMA, CRD_STATUS_SCHEMA, crdDefaults, crdProblems } from './crd/index.ts';
import { CUSTOM_RULES, type Resource, resourceOf } from './resource.ts';

export { CRD_CLEANUP_FINALIZER } from './crd/index.ts';

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
  properties: { spec: CRD_SPEC_SCHEMA, status: CRD_STATUS_SCHEMA },
  defaults: crdDefaults,
  admit: (object, old) => ({ problems: crdProblems(object, old) }),
});

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
      ...deprecationOf(spec, kind, version),
    };
  });
  const served = definitions.filter((_, i) => versions[i]?.['served'] === true);
  const resource = resourceOf(served, CUSTOM_RULES, definitions.find((d) => d.storage) ?? definitions[0]);
  const conversion = conversionWebhookOf(spec['conversion']);
  return conversion === undefined ? resource : { ...resource, conversion };
}

function deprecationOf(spec: JsonObject, kind: string, version: JsonObject): { readonly deprecation?: string } {
  if (version['deprecated'] !== true) return {};
  const warning = text(version['deprecationWarning']);
  if (warning !== '') return { deprecation: warning };
  const [group, name] = [text(spec['group']), text(version['name'])];
  const better = items(spec['versions'])
    .map(record)
    .filter((other) => other['served'] === true && other['deprecated'] !== true)
    .map((other) => text(other['name']))
    .filter((other) => compareVersions(other, name) < 0)
    .sort(compareVersions)[0];
  const advice = better === undefined ? '' : `; use ${group}/${better} ${kind}`;
  return { deprecation: `${group}/${name} ${kind} is deprecated${advice}` };
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
