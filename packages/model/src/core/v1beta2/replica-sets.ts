import { asObject, compact, only, without } from '../../conversion-data.ts';
import type { Json, JsonObject } from '../../json.ts';
import { isJsonObject } from '../../kind.ts';
import { integer, object, string } from '../../schema.ts';
import { labelSelectorSchema, templateMetadataSchema } from '../../shared-schema.ts';
import { clusterNameSchema, deletePolicySchema, machineNamingStrategySchema } from '../machine-template-schema.ts';
import {
  conditionsDown,
  conditionsUp,
  newConditionsSchema,
  notEmpty,
  observedGenerationSchema,
  unlessEmpty,
} from './converted-status.ts';
import { machineSpecV1beta2Schema, templateDown, templateUp } from './machine-spec.ts';

/** Required fields of spec that MachineSet and MachineDeployment share in v1beta2. */
export const replicaSpecRequired = {
  clusterName: clusterNameSchema,
  selector: labelSelectorSchema,
  template: object({ spec: machineSpecV1beta2Schema }, { metadata: notEmpty(templateMetadataSchema) }),
};

/** Optional fields of spec that MachineSet and MachineDeployment share in v1beta2. */
export const replicaSpecOptional = {
  replicas: integer(),
  machineNaming: notEmpty(machineNamingStrategySchema),
  deletion: notEmpty(object({}, { order: deletePolicySchema })),
};

/** Fields of status that MachineSet and MachineDeployment share in v1beta2. */
export const replicaStatusFields = {
  selector: string({ minLength: 1, maxLength: 4096 }),
  replicas: integer(),
  readyReplicas: integer(),
  availableReplicas: integer(),
  upToDateReplicas: integer(),
  conditions: newConditionsSchema,
  observedGeneration: observedGenerationSchema,
  waitingFor: string({ maxLength: 40 }),
};

const COUNTS = ['readyReplicas', 'availableReplicas', 'upToDateReplicas'];

/** What MachineSet and MachineDeployment say alike in their specs, as v1beta2 has it; `deletePolicy` is theirs to find. */
export function replicaSpecDown(spec: JsonObject, deletePolicy: Json | undefined): JsonObject {
  const { template, minReadySeconds, machineNamingStrategy, ...rest } = spec;
  return compact({
    ...rest,
    template: templateDown(template, minReadySeconds),
    machineNaming: isJsonObject(machineNamingStrategy) ? unlessEmpty(machineNamingStrategy) : undefined,
    deletion: unlessEmpty({ order: deletePolicy }),
  });
}

/** The same as v1beta1 has it, but for the policy of deletion. */
export function replicaSpecUp(spec: JsonObject, before: Json | undefined): JsonObject {
  const { template, machineNaming, deletion: _deletion, ...rest } = spec;
  const inner = templateUp(template, asObject(before)['template']);
  return compact({
    ...rest,
    template: inner.template,
    minReadySeconds: inner.minReadySeconds,
    machineNamingStrategy: machineNaming,
  });
}

/** The policy of deletion that a spec of v1beta2 names. */
export function deletionOrder(spec: JsonObject): Json | undefined {
  return asObject(spec['deletion'])['order'];
}

/**
 * A status as v1beta2 has it: its counts are the newer ones where somebody wrote them, else the older ones.
 *
 * @param legacy names of fields that only v1beta1 has
 */
export function replicaStatusDown(status: JsonObject, legacy: readonly string[]): JsonObject {
  const newer = asObject(status['v1beta2']);
  const deprecated = unlessEmpty(only(status, ['conditions', ...legacy]));
  return compact({
    ...without(status, ['v1beta2', 'conditions', ...legacy]),
    upToDateReplicas: status['updatedReplicas'],
    ...only(status, COUNTS),
    ...only(newer, COUNTS),
    conditions: conditionsDown(status),
    deprecated: deprecated && { v1beta1: deprecated },
  });
}

/** A status as v1beta1 has it. */
export function replicaStatusUp(status: JsonObject): JsonObject {
  const { deprecated, conditions, ...rest } = status;
  const legacy = asObject(asObject(deprecated)['v1beta1']);
  const added = conditionsUp(conditions, legacy['conditions']);
  return compact({
    ...without(rest, COUNTS),
    ...only(rest, ['readyReplicas', 'availableReplicas']),
    ...legacy,
    v1beta2: unlessEmpty({ ...only(rest, COUNTS), conditions: added.length === 0 ? undefined : [...added] }),
  });
}
