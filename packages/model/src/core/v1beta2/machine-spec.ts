import { asObject, compact, only, without } from '../../conversion-data.ts';
import type { Json, JsonObject } from '../../json.ts';
import { isJsonObject } from '../../kind.ts';
import { integer, object, string } from '../../schema.ts';
import { clusterNameSchema, readinessGatesSchema } from '../machine-template-schema.ts';
import { contractReferenceSchema, referenceDown, referenceUp } from './contract-reference.ts';
import { notEmpty, unlessEmpty } from './converted-status.ts';
import { secondsOf, spanOf } from './seconds.ts';

/** spec of Machine in v1beta2. */
export const machineSpecV1beta2Schema = object(
  {
    clusterName: clusterNameSchema,
    bootstrap: object(
      {},
      { configRef: contractReferenceSchema, dataSecretName: string({ minLength: 0, maxLength: 253 }) },
    ),
    infrastructureRef: contractReferenceSchema,
  },
  {
    version: string({ minLength: 1, maxLength: 256 }),
    providerID: string({ minLength: 1, maxLength: 512 }),
    failureDomain: string({ minLength: 1, maxLength: 256 }),
    minReadySeconds: integer({ minimum: 0 }),
    readinessGates: { ...readinessGatesSchema, minItems: 1 },
    deletion: notEmpty(
      object(
        {},
        {
          nodeDrainTimeoutSeconds: integer({ minimum: 0 }),
          nodeVolumeDetachTimeoutSeconds: integer({ minimum: 0 }),
          nodeDeletionTimeoutSeconds: integer({ minimum: 0 }),
        },
      ),
    ),
  },
);

/** Time spans of v1beta1 and what they are called in v1beta2. */
const SPANS = {
  nodeDrainTimeout: 'nodeDrainTimeoutSeconds',
  nodeVolumeDetachTimeout: 'nodeVolumeDetachTimeoutSeconds',
  nodeDeletionTimeout: 'nodeDeletionTimeoutSeconds',
} as const;

/** spec of a Machine as v1beta2 has it. */
export function machineSpecDown(spec: JsonObject): JsonObject {
  const { bootstrap, infrastructureRef, readinessGates, ...rest } = spec;
  const spans = Object.entries(SPANS).map(([old, name]) => [name, secondsOf(spec[old])]);
  const { configRef, ...boot } = asObject(bootstrap);
  return compact({
    ...without(rest, Object.keys(SPANS)),
    bootstrap: bootstrap === undefined ? undefined : compact({ ...boot, configRef: referenceDown(configRef) }),
    infrastructureRef: referenceDown(infrastructureRef),
    readinessGates: Array.isArray(readinessGates) && readinessGates.length === 0 ? undefined : readinessGates,
    deletion: unlessEmpty(Object.fromEntries(spans)),
  });
}

/** spec of a Machine as v1beta1 has it. `before` is what it was stored as. */
export function machineSpecUp(spec: JsonObject, before: Json | undefined): JsonObject {
  const had = asObject(before);
  const { bootstrap, infrastructureRef, deletion, ...rest } = spec;
  const spans = Object.entries(SPANS).map(([old, name]) => [old, spanOf(asObject(deletion)[name], had[old])]);
  const { configRef, ...boot } = asObject(bootstrap);
  const noGates = Array.isArray(had['readinessGates']) && had['readinessGates'].length === 0;
  return compact({
    ...(noGates ? only(had, ['readinessGates']) : {}),
    ...rest,
    bootstrap:
      bootstrap === undefined
        ? undefined
        : compact({ ...boot, configRef: referenceUp(configRef, asObject(had['bootstrap'])['configRef']) }),
    infrastructureRef: referenceUp(infrastructureRef, had['infrastructureRef']),
    ...Object.fromEntries(spans),
  });
}

/** spec.template of MachineSet and MachineDeployment as v1beta2 has it: it has minReadySeconds too. */
export function templateDown(template: Json | undefined, minReadySeconds: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(template) && minReadySeconds === undefined) return undefined;
  const { metadata, spec } = asObject(template);
  const inner = isJsonObject(spec) ? machineSpecDown(spec) : undefined;
  return compact({
    metadata: isJsonObject(metadata) ? unlessEmpty(metadata) : undefined,
    spec: inner === undefined && minReadySeconds === undefined ? undefined : compact({ ...inner, minReadySeconds }),
  });
}

/** spec.template as v1beta1 has it, and minReadySeconds, which is beside it there. */
export function templateUp(
  template: Json | undefined,
  before: Json | undefined,
): { readonly template: JsonObject | undefined; readonly minReadySeconds: Json | undefined } {
  if (!isJsonObject(template)) return { template: undefined, minReadySeconds: undefined };
  const { minReadySeconds, ...spec } = asObject(template['spec']);
  const inner = template['spec'] === undefined ? undefined : machineSpecUp(spec, asObject(before)['spec']);
  return { template: compact({ metadata: template['metadata'], spec: inner }), minReadySeconds };
}
