import { asObject, compact, only } from '../../conversion-data.ts';
import type { Json, JsonObject } from '../../json.ts';
import { isJsonObject } from '../../kind.ts';
import { object, string } from '../../schema.ts';

const SUBDOMAIN = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$';

/** Cluster API v1beta2's reference to an object of a provider, in the namespace of who refers; the version is found by its contract. */
export const contractReferenceSchema = object(
  {
    apiGroup: string({ minLength: 1, maxLength: 253, pattern: SUBDOMAIN }),
    kind: string({ minLength: 1, maxLength: 63, pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$' }),
    name: string({ minLength: 1, maxLength: 253, pattern: SUBDOMAIN }),
  },
  {},
);

/** Versions of kinds that we bring ourselves; of others the version is mended once their definition is known. */
const OWN_VERSIONS: Readonly<Record<string, string>> = {
  'infrastructure.cluster.x-k8s.io/MetalCluster': 'v1alpha3',
  'infrastructure.cluster.x-k8s.io/MetalMachine': 'v1alpha3',
  'infrastructure.cluster.x-k8s.io/MetalMachineTemplate': 'v1alpha3',
  'controlplane.cluster.x-k8s.io/TalosControlPlane': 'v1alpha3',
};
const USUAL_VERSION = 'v1beta1';

/** A reference with apiVersion as one with apiGroup; undefined for none. */
export function referenceDown(ref: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(ref)) return undefined;
  const { apiVersion, kind, name } = ref;
  return compact({ apiGroup: groupOf(apiVersion), kind, name });
}

/** A reference with apiGroup as one with apiVersion. What leads to the same kind keeps the version it had. */
export function referenceUp(ref: Json | undefined, before: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(ref)) return undefined;
  const { apiGroup, kind, name } = ref;
  const had = asObject(before);
  const isSameKind = had['kind'] === kind && groupOf(had['apiVersion']) === apiGroup;
  const version = OWN_VERSIONS[`${String(apiGroup)}/${String(kind)}`] ?? USUAL_VERSION;
  return compact({
    apiVersion: isSameKind ? had['apiVersion'] : apiGroup === undefined ? undefined : `${String(apiGroup)}/${version}`,
    kind,
    name,
    ...only(had, ['namespace']),
    ...(isSameKind && had['name'] === name ? only(had, ['uid', 'resourceVersion', 'fieldPath']) : {}),
  });
}

function groupOf(apiVersion: Json | undefined): string | undefined {
  return typeof apiVersion === 'string' ? apiVersion.split('/')[0] : undefined;
}
