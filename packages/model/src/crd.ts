import type { Json, JsonObject } from './json.ts';
import type { Column, KindDefinition } from './kind.ts';
import type { Schema } from './schema.ts';

/** Where cluster mode serves `/convert` for a group. */
const CONVERSION_SERVICES: Readonly<Record<string, { readonly namespace: string; readonly name: string }>> = {
  'metal.sidero.dev': { namespace: 'sidero-system', name: 'sidero-webhook-service' },
  'infrastructure.cluster.x-k8s.io': { namespace: 'sidero-system', name: 'caps-webhook-service' },
  'bootstrap.cluster.x-k8s.io': { namespace: 'cabpt-system', name: 'cabpt-webhook-service' },
};

/** Without it `clusterctl move` does not look at the objects of a kind. `clusterctl init` sets it, others forget it. */
const CLUSTERCTL_LABEL = 'clusterctl.cluster.x-k8s.io';

/**
 * The CustomResourceDefinition object of a kind.
 *
 * @param versions all versions of one kind, preferred first; exactly one is the stored one.
 */
export function crdOf(versions: readonly KindDefinition[]): JsonObject {
  const main = versions.find((v) => v.storage) ?? versions[0];
  if (main === undefined) throw new TypeError('crdOf needs at least one version');
  const { group, kind, listKind, plural, singular, shortNames, categories } = main;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      labels: { ...main.crdLabels, [CLUSTERCTL_LABEL]: '' },
    },
    spec: {
      group,
      names: {
        kind,
        listKind,
        plural,
        singular,
        ...(shortNames.length > 0 ? { shortNames } : {}),
        ...(categories.length > 0 ? { categories } : {}),
      },
      scope: main.scope,
      conversion: conversionOf(group, versions.length),
      versions: versions.map(versionOf),
    },
  };
}

/** Group kinds by what they are versions of, in the order of first appearance: one entry for each CRD. */
export function versionsByKind(kinds: readonly KindDefinition[]): readonly (readonly KindDefinition[])[] {
  return [...Map.groupBy(kinds, (k) => `${k.plural}.${k.group}`).values()];
}

function conversionOf(group: string, versions: number): JsonObject {
  const service = CONVERSION_SERVICES[group];
  if (versions < 2 || service === undefined) return { strategy: 'None' };
  return {
    strategy: 'Webhook',
    webhook: {
      clientConfig: { service: { ...service, path: '/convert' } },
      conversionReviewVersions: ['v1', 'v1beta1'],
    },
  };
}

function versionOf(kind: KindDefinition): JsonObject {
  const subresources = {
    ...(kind.statusSubresource ? { status: {} } : {}),
    ...(kind.scale === undefined ? {} : { scale: { ...kind.scale } }),
  };
  return {
    name: kind.version,
    served: true,
    storage: kind.storage,
    schema: { openAPIV3Schema: rootSchema(kind) },
    ...(Object.keys(subresources).length > 0 ? { subresources } : {}),
    ...(kind.columns.length > 0 ? { additionalPrinterColumns: kind.columns.map(columnOf) } : {}),
    // Not on older versions: kube-apiserver refuses a definition whose versions have equal selectable fields and other schemas.
    ...(kind.storage && kind.selectableFields.length > 0
      ? { selectableFields: kind.selectableFields.map((jsonPath) => ({ jsonPath })) }
      : {}),
  };
}

function rootSchema(kind: KindDefinition): Json {
  const { schema } = kind;
  return schemaJson({
    ...schema,
    properties: {
      apiVersion: {
        type: 'string',
        description: 'Version of the schema of this object.',
      },
      kind: { type: 'string', description: 'Kind of this object.' },
      metadata: { type: 'object' },
      ...schema.properties,
    },
  });
}

/**
 * A schema as plain JSON: the types of schemas and of JSON differ only for the compiler. No properties at all are left out, as Go
 * does: a definition that went through its tools is then still ours.
 */
function schemaJson(schema: Schema): Json {
  return JSON.parse(JSON.stringify(schema), (name, value: unknown) =>
    name === 'properties' && typeof value === 'object' && value !== null && Object.keys(value).length === 0
      ? undefined
      : value,
  );
}

function columnOf(column: Column): JsonObject {
  return {
    name: column.name,
    type: column.of,
    jsonPath: column.path,
    ...(column.wide === true ? { priority: 1 } : {}),
    ...(column.description === undefined ? {} : { description: column.description }),
  };
}
