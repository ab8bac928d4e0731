import { asObject, compact, spokeConversion, without } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import { defineKind, isJsonObject } from '../kind.ts';
import { boolean, object, oneOfStrings, openObject, string } from '../schema.ts';
import { machineAddressesSchema } from '../shared-schema.ts';
import { MACHINE_PHASES, machine, machineDeletionSchema } from './machine.ts';
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
import { machineSpecDown, machineSpecUp, machineSpecV1beta2Schema } from './v1beta2/machine-spec.ts';
import { viaStorage } from './v1beta2/via-storage.ts';

const convert = spokeConversion({
  hub: 'cluster.x-k8s.io/v1beta1',
  spoke: 'cluster.x-k8s.io/v1beta2',
  down: ({ spec, status }) => ({ spec: spec && machineSpecDown(spec), status: status && statusDown(status) }),
  up: ({ spec, status }, before) => ({
    spec: spec && machineSpecUp(spec, before?.hub.spec),
    status: status && statusUp(status, before?.hub.status),
  }),
});

function statusDown(status: JsonObject): JsonObject {
  const { bootstrapReady, infrastructureReady, nodeRef, conditions, failureReason, failureMessage, ...rest } = status;
  const legacy = unlessEmpty({ conditions, failureReason, failureMessage });
  return compact({
    ...without(rest, ['v1beta2']),
    initialization: unlessEmpty({
      bootstrapDataSecretCreated: bootstrapReady,
      infrastructureProvisioned: infrastructureReady,
    }),
    nodeRef: isJsonObject(nodeRef) ? compact({ name: nodeRef['name'] }) : undefined,
    conditions: conditionsDown(status),
    deprecated: legacy && { v1beta1: legacy },
  });
}

function statusUp(status: JsonObject, before: Json | undefined): JsonObject {
  const { initialization, nodeRef, conditions, deprecated, ...rest } = status;
  const legacy = asObject(asObject(deprecated)['v1beta1']);
  const had = asObject(asObject(before)['nodeRef']);
  const added = conditionsUp(conditions, legacy['conditions']);
  const started = asObject(initialization);
  return compact({
    ...rest,
    ...legacy,
    bootstrapReady: started['bootstrapDataSecretCreated'],
    infrastructureReady: started['infrastructureProvisioned'],
    nodeRef: isJsonObject(nodeRef)
      ? had['name'] === nodeRef['name']
        ? had
        : { apiVersion: 'v1', kind: 'Node', ...nodeRef }
      : undefined,
    v1beta2: added.length === 0 ? undefined : { conditions: added },
  });
}

/** One machine of a cluster, as Cluster API v1beta2 has it. */
export const machineV1beta2 = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta2',
  kind: 'Machine',
  plural: 'machines',
  scope: 'Namespaced',
  shortNames: machine.shortNames,
  categories: machine.categories,
  crdLabels: machine.crdLabels,
  description: 'One machine of a cluster: its bootstrap config and its infrastructure.',
  storage: false,
  ...viaStorage(machine, convert, [['infrastructureRef'], ['bootstrap', 'configRef']]),
  columns: [
    { name: 'Cluster', path: '.spec.clusterName', of: 'string' },
    { name: 'NodeName', path: '.status.nodeRef.name', of: 'string' },
    { name: 'ProviderID', path: '.spec.providerID', of: 'string' },
    { name: 'Ready', path: '.status.conditions[?(@.type=="Ready")].status', of: 'string' },
    { name: 'Phase', path: '.status.phase', of: 'string' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Version', path: '.spec.version', of: 'string' },
    { name: 'Internal-IP', path: '.status.addresses[?(@.type=="InternalIP")].address', of: 'string', wide: true },
    { name: 'External-IP', path: '.status.addresses[?(@.type=="ExternalIP")].address', of: 'string', wide: true },
    { name: 'OS-Image', path: '.status.nodeInfo.osImage', of: 'string', wide: true },
    { name: 'Paused', path: '.status.conditions[?(@.type=="Paused")].status', of: 'string', wide: true },
  ],
  selectableFields: machine.selectableFields,
  properties: {
    spec: machineSpecV1beta2Schema,
    status: notEmpty(
      object(
        {},
        {
          phase: oneOfStrings(MACHINE_PHASES),
          initialization: notEmpty(
            object({}, { bootstrapDataSecretCreated: boolean(), infrastructureProvisioned: boolean() }),
          ),
          addresses: { ...machineAddressesSchema, maxItems: 32 },
          nodeRef: object({ name: string({ minLength: 1, maxLength: 253 }) }, {}),
          nodeInfo: openObject(),
          conditions: newConditionsSchema,
          lastUpdated: string({ format: 'date-time' }),
          certificatesExpiryDate: string({ format: 'date-time' }),
          deletion: machineDeletionSchema,
          deprecated: deprecatedSchema(failureFields),
          observedGeneration: observedGenerationSchema,
          waitingFor: string({ maxLength: 40 }),
        },
      ),
    ),
  },
});
