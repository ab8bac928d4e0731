import type { Infer } from '../schema.ts';
import { integer, list, map, object, oneOfStrings, string } from '../schema.ts';
import { conditionsSchema, metaConditionsSchema, objectReferenceSchema } from '../shared-schema.ts';

const QUALIFIED_NAME =
  '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$';

/** Name of the Cluster that an object belongs to; never changes. */
export const clusterNameSchema = string({ minLength: 1, maxLength: 63 });

/** Which conditions beside the usual ones make a Machine ready. */
export const readinessGatesSchema = list(
  object(
    { conditionType: string({ minLength: 1, maxLength: 316, pattern: QUALIFIED_NAME }) },
    { polarity: oneOfStrings(['Positive', 'Negative']) },
  ),
  { maxItems: 32, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['conditionType'] },
);

/** What a Machine is made from: spec of Machine with references to templates, and labels and annotations for it. */
export const machineTemplateSchema = object(
  {},
  {
    metadata: object({}, { annotations: map(string()), labels: map(string()) }),
    spec: object(
      {
        bootstrap: object({}, { configRef: objectReferenceSchema, dataSecretName: string({ maxLength: 253 }) }),
        clusterName: clusterNameSchema,
        infrastructureRef: objectReferenceSchema,
      },
      {
        version: string({ minLength: 1, maxLength: 256 }),
        providerID: string({ minLength: 1, maxLength: 512 }),
        failureDomain: string({ minLength: 1, maxLength: 256 }),
        readinessGates: readinessGatesSchema,
        nodeDrainTimeout: string(),
        nodeVolumeDetachTimeout: string(),
        nodeDeletionTimeout: string(),
      },
    ),
  },
);

/** How the names of Machines are made. */
export const machineNamingStrategySchema = object(
  {},
  {
    template: string({
      minLength: 1,
      maxLength: 256,
      description: 'May use {{ .cluster.name }} and {{ .machineSet.name }}; must use {{ .random }}.',
    }),
  },
);

/** Which Machines are deleted first when there are too many. */
export const deletePolicySchema = oneOfStrings(['Random', 'Newest', 'Oldest']);

/** The status of kinds that keep a number of Machines, as far as they share it. */
export const replicasStatusFields = {
  selector: string({ minLength: 1, maxLength: 4096 }),
  replicas: integer(),
  readyReplicas: integer(),
  availableReplicas: integer(),
  observedGeneration: integer({ format: 'int64' }),
  conditions: conditionsSchema,
  v1beta2: object(
    {},
    {
      conditions: metaConditionsSchema,
      readyReplicas: integer(),
      availableReplicas: integer(),
      upToDateReplicas: integer(),
    },
  ),
  waitingFor: string({ maxLength: 40 }),
};

/** A Machine to be: spec.template of MachineSet and MachineDeployment. */
export type MachineTemplate = Infer<typeof machineTemplateSchema>;
