import { asList, asObject, compact, only, spokeConversion, without } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import { defineKind, isJsonObject } from '../kind.ts';
import { boolean, integer, list, map, object, oneOfStrings, openObject, string } from '../schema.ts';
import { CLUSTER_PHASES, cidrsSchema, cluster, replicaCountsSchema } from './cluster.ts';
import { readinessGatesSchema } from './machine-template-schema.ts';
import { contractReferenceSchema, referenceDown, referenceUp } from './v1beta2/contract-reference.ts';
import {
  conditionsDown,
  conditionsUp,
  deprecatedSchema,
  failureFields,
  newConditionsSchema,
  notEmpty,
  observedGenerationSchema,
  unlessEmpty,
} from './v1beta2/converted-status.ts';
import { viaStorage } from './v1beta2/via-storage.ts';

const convert = spokeConversion({
  hub: 'cluster.x-k8s.io/v1beta1',
  spoke: 'cluster.x-k8s.io/v1beta2',
  down: ({ spec, status }) => ({ spec: spec && specDown(spec), status: status && statusDown(status) }),
  up: ({ spec, status }, before) => ({
    spec: spec && specUp(spec, before?.hub.spec),
    status: status && statusUp(status),
  }),
});

function specDown(spec: JsonObject): JsonObject {
  const { controlPlaneRef, infrastructureRef, controlPlaneEndpoint, clusterNetwork, availabilityGates, ...rest } = spec;
  const { host, port } = asObject(controlPlaneEndpoint);
  return compact({
    ...rest,
    clusterNetwork: isJsonObject(clusterNetwork) ? unlessEmpty(clusterNetwork) : undefined,
    controlPlaneEndpoint: unlessEmpty({ host: host || undefined, port: port || undefined }),
    controlPlaneRef: referenceDown(controlPlaneRef),
    infrastructureRef: referenceDown(infrastructureRef),
    availabilityGates: asList(availabilityGates).length === 0 ? undefined : availabilityGates,
  });
}

function specUp(spec: JsonObject, before: Json | undefined): JsonObject {
  const had = asObject(before);
  const { controlPlaneRef, infrastructureRef, controlPlaneEndpoint, ...rest } = spec;
  const endpoint = asObject(controlPlaneEndpoint);
  return compact({
    ...(Array.isArray(had['availabilityGates']) && had['availabilityGates'].length === 0
      ? only(had, ['availabilityGates'])
      : {}),
    ...rest,
    controlPlaneEndpoint:
      controlPlaneEndpoint === undefined ? undefined : { host: endpoint['host'] ?? '', port: endpoint['port'] ?? 0 },
    controlPlaneRef: referenceUp(controlPlaneRef, had['controlPlaneRef']),
    infrastructureRef: referenceUp(infrastructureRef, had['infrastructureRef']),
  });
}

function statusDown(status: JsonObject): JsonObject {
  const { infrastructureReady, controlPlaneReady, failureDomains, conditions, failureReason, ...rest } = status;
  const { failureMessage, v1beta2, ...kept } = rest;
  const legacy = unlessEmpty({ conditions, failureReason, failureMessage });
  const isInitialized = asList(conditions).some(
    (c) => isJsonObject(c) && c['type'] === 'ControlPlaneInitialized' && c['status'] === 'True',
  );
  const hasWord = isInitialized || controlPlaneReady !== undefined;
  return compact({
    ...kept,
    ...only(asObject(v1beta2), ['controlPlane', 'workers']),
    initialization: unlessEmpty({
      infrastructureProvisioned: infrastructureReady,
      controlPlaneInitialized: hasWord ? isInitialized || controlPlaneReady === true : undefined,
    }),
    failureDomains: domainsDown(failureDomains),
    conditions: conditionsDown(status),
    deprecated: legacy && { v1beta1: legacy },
  });
}

function statusUp(status: JsonObject): JsonObject {
  const { initialization, failureDomains, conditions, deprecated, controlPlane, workers, ...rest } = status;
  const legacy = asObject(asObject(deprecated)['v1beta1']);
  const started = asObject(initialization);
  const added = conditionsUp(conditions, legacy['conditions']);
  return compact({
    ...rest,
    ...legacy,
    infrastructureReady: started['infrastructureProvisioned'],
    controlPlaneReady: started['controlPlaneInitialized'],
    failureDomains: domainsUp(failureDomains),
    v1beta2: unlessEmpty({ conditions: added.length === 0 ? undefined : [...added], controlPlane, workers }),
  });
}

function domainsDown(domains: Json | undefined): Json | undefined {
  if (!isJsonObject(domains)) return undefined;
  const names = Object.keys(domains).sort();
  return names.length === 0 ? undefined : names.map((name) => ({ name, ...asObject(domains[name]) }));
}

function domainsUp(domains: Json | undefined): Json | undefined {
  if (!Array.isArray(domains)) return undefined;
  return Object.fromEntries(
    domains.filter(isJsonObject).map((domain) => [String(domain['name']), without(domain, ['name'])]),
  );
}

/** A cluster, as Cluster API v1beta2 has it. */
export const clusterV1beta2 = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta2',
  kind: 'Cluster',
  plural: 'clusters',
  scope: 'Namespaced',
  shortNames: cluster.shortNames,
  categories: cluster.categories,
  crdLabels: cluster.crdLabels,
  description: 'A Kubernetes cluster made of machines.',
  storage: false,
  ...viaStorage(cluster, convert, [['infrastructureRef'], ['controlPlaneRef']]),
  columns: [
    { name: 'ClusterClass', path: '.spec.topology.classRef.name', of: 'string' },
    { name: 'Available', path: '.status.conditions[?(@.type=="Ready")].status', of: 'string' },
    { name: 'Phase', path: '.status.phase', of: 'string' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.spec.topology.version', of: 'string' },
    { name: 'Paused', path: '.status.conditions[?(@.type=="Paused")].status', of: 'string', wide: true },
  ],
  selectableFields: cluster.selectableFields,
  properties: {
    spec: notEmpty(
      object(
        {},
        {
          paused: boolean({ description: 'Every controller leaves the cluster and its objects alone.' }),
          clusterNetwork: notEmpty(
            object(
              {},
              {
                apiServerPort: integer({ minimum: 1, maximum: 65535 }),
                pods: cidrsSchema,
                services: cidrsSchema,
                serviceDomain: string({ minLength: 1, maxLength: 253 }),
              },
            ),
          ),
          controlPlaneEndpoint: notEmpty(
            object(
              {},
              { host: string({ minLength: 1, maxLength: 512 }), port: integer({ minimum: 1, maximum: 65535 }) },
            ),
          ),
          controlPlaneRef: contractReferenceSchema,
          infrastructureRef: contractReferenceSchema,
          topology: openObject({ description: 'Not offered: refused at admission.' }),
          availabilityGates: { ...readinessGatesSchema, minItems: 1 },
        },
      ),
    ),
    status: notEmpty(
      object(
        {},
        {
          phase: oneOfStrings(CLUSTER_PHASES),
          initialization: notEmpty(
            object({}, { infrastructureProvisioned: boolean(), controlPlaneInitialized: boolean() }),
          ),
          conditions: newConditionsSchema,
          controlPlane: replicaCountsSchema,
          workers: replicaCountsSchema,
          failureDomains: list(
            object(
              { name: string({ minLength: 1, maxLength: 256 }) },
              { controlPlane: boolean(), attributes: map(string()) },
            ),
            { minItems: 1, maxItems: 100, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
          ),
          deprecated: deprecatedSchema(failureFields),
          observedGeneration: observedGenerationSchema,
          waitingFor: string({ maxLength: 40 }),
        },
      ),
    ),
  },
});
