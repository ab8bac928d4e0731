import { asList, asObject, compact, only, spokeConversion, without } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import { defineKind, isJsonObject } from '../kind.ts';
import { integer, intOrString, list, object, string } from '../schema.ts';
import { labelSelectorSchema } from '../shared-schema.ts';
import { machineHealthCheck } from './machine-health-check.ts';
import { clusterNameSchema } from './machine-template-schema.ts';
import {
  conditionsDown,
  conditionsUp,
  deprecatedSchema,
  newConditionsSchema,
  notEmpty,
  observedGenerationSchema,
  unlessEmpty,
} from './v1beta2/converted-status.ts';
import { secondsOf, spanOf } from './v1beta2/seconds.ts';
import { viaStorage } from './v1beta2/via-storage.ts';

const MOVED = ['unhealthyConditions', 'nodeStartupTimeout', 'maxUnhealthy', 'unhealthyRange', 'remediationTemplate'];

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
  const { unhealthyConditions, nodeStartupTimeout, maxUnhealthy, unhealthyRange, remediationTemplate } = spec;
  const nodeConditions = asList(unhealthyConditions)
    .filter(isJsonObject)
    .map(({ timeout, ...rest }) => compact({ ...rest, timeoutSeconds: secondsOf(timeout) ?? 0 }));
  return compact({
    ...without(spec, MOVED),
    checks: unlessEmpty({
      nodeStartupTimeoutSeconds: secondsOf(nodeStartupTimeout),
      unhealthyNodeConditions: nodeConditions.length === 0 ? undefined : nodeConditions,
    }),
    remediation: unlessEmpty({
      triggerIf: unlessEmpty({ unhealthyLessThanOrEqualTo: maxUnhealthy, unhealthyInRange: unhealthyRange }),
      templateRef: isJsonObject(remediationTemplate)
        ? only(remediationTemplate, ['apiVersion', 'kind', 'name'])
        : undefined,
    }),
  });
}

function specUp(spec: JsonObject, before: Json | undefined): JsonObject {
  const had = asObject(before);
  const { checks, remediation, ...rest } = spec;
  const { unhealthyNodeConditions, nodeStartupTimeoutSeconds } = asObject(checks);
  const { triggerIf, templateRef } = asObject(remediation);
  const { unhealthyLessThanOrEqualTo, unhealthyInRange } = asObject(triggerIf);
  const spans = asList(had['unhealthyConditions']).filter(isJsonObject);
  const conditions = asList(unhealthyNodeConditions)
    .filter(isJsonObject)
    .map(({ timeoutSeconds, ...condition }) => {
      const known = spans.find(({ type, status }) => type === condition['type'] && status === condition['status']);
      return compact({ ...condition, timeout: spanOf(timeoutSeconds, known?.['timeout']) });
    });
  const template = asObject(had['remediationTemplate']);
  return compact({
    ...rest,
    unhealthyConditions: unhealthyNodeConditions === undefined ? undefined : conditions,
    nodeStartupTimeout: spanOf(nodeStartupTimeoutSeconds, had['nodeStartupTimeout']),
    maxUnhealthy: unhealthyLessThanOrEqualTo,
    unhealthyRange: unhealthyInRange,
    remediationTemplate: isJsonObject(templateRef) ? { ...only(template, ['namespace']), ...templateRef } : undefined,
  });
}

function statusDown(status: JsonObject): JsonObject {
  const { conditions, v1beta2: _newer, ...rest } = status;
  const legacy = unlessEmpty({ conditions });
  return compact({
    ...rest,
    conditions: conditionsDown(status),
    deprecated: legacy && { v1beta1: legacy },
  });
}

function statusUp(status: JsonObject): JsonObject {
  const { conditions, deprecated, ...rest } = status;
  const legacy = asObject(asObject(deprecated)['v1beta1']);
  const added = conditionsUp(conditions, legacy['conditions']);
  return compact({ ...rest, ...legacy, v1beta2: added.length === 0 ? undefined : { conditions: [...added] } });
}

/** When machines count as unhealthy and are replaced, as Cluster API v1beta2 has it. */
export const machineHealthCheckV1beta2 = defineKind({
  group: 'cluster.x-k8s.io',
  version: 'v1beta2',
  kind: 'MachineHealthCheck',
  plural: 'machinehealthchecks',
  scope: 'Namespaced',
  shortNames: machineHealthCheck.shortNames,
  categories: machineHealthCheck.categories,
  crdLabels: machineHealthCheck.crdLabels,
  description: 'When machines of a cluster count as unhealthy and are replaced.',
  storage: false,
  ...viaStorage(machineHealthCheck, convert, [['remediationTemplate']]),
  columns: [
    { name: 'Cluster', path: '.spec.clusterName', of: 'string' },
    { name: 'Replicas', path: '.status.expectedMachines', of: 'integer' },
    { name: 'Healthy', path: '.status.currentHealthy', of: 'integer' },
    { name: 'Waiting-For', path: '.status.waitingFor', of: 'string' },
    { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' },
    { name: 'Paused', path: '.status.conditions[?(@.type=="Paused")].status', of: 'string', wide: true },
  ],
  selectableFields: machineHealthCheck.selectableFields,
  properties: {
    spec: object(
      { clusterName: clusterNameSchema, selector: labelSelectorSchema },
      {
        checks: notEmpty(
          object(
            {},
            {
              nodeStartupTimeoutSeconds: integer({ minimum: 0 }),
              unhealthyNodeConditions: list(
                object(
                  {
                    type: string({ minLength: 1 }),
                    status: string({ minLength: 1 }),
                    timeoutSeconds: integer({ minimum: 0 }),
                  },
                  {},
                ),
                { minItems: 1, maxItems: 100 },
              ),
            },
          ),
        ),
        remediation: notEmpty(
          object(
            {},
            {
              triggerIf: notEmpty(
                object(
                  {},
                  {
                    unhealthyLessThanOrEqualTo: intOrString(),
                    unhealthyInRange: string({ minLength: 1, maxLength: 32, pattern: '^\\[[0-9]+-[0-9]+\\]$' }),
                  },
                ),
              ),
              templateRef: object(
                {
                  apiVersion: string({ minLength: 1, maxLength: 317 }),
                  kind: string({ minLength: 1, maxLength: 63 }),
                  name: string({ minLength: 1, maxLength: 253 }),
                },
                {},
              ),
            },
          ),
        ),
      },
    ),
    status: notEmpty(
      object(
        {},
        {
          expectedMachines: integer({ minimum: 0 }),
          currentHealthy: integer({ minimum: 0 }),
          remediationsAllowed: integer({ minimum: 0 }),
          targets: list(string({ minLength: 1, maxLength: 253 }), { maxItems: 10_000 }),
          conditions: newConditionsSchema,
          deprecated: deprecatedSchema({}),
          observedGeneration: observedGenerationSchema,
          waitingFor: string({ maxLength: 40 }),
        },
      ),
    ),
  },
});
