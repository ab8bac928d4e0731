import { notInList } from '../admission-text.ts';
import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { Admission, FieldProblem } from '../kind.ts';

const STRATEGIES = ['', 'RollingUpdate', 'OnDelete', 'InPlace'];

/**
 * Checks of TalosControlPlane: the rollout strategy is out of a closed list and its surge a count (upstream reads a percentage
 * as 0). Counts and types of machines that are accepted and mean something else than people expect are warned of.
 */
export function admitTalosControlPlane(object: JsonObject): Admission {
  const spec = asObject(object['spec']);
  const strategy = asObject(spec['rolloutStrategy']);
  const type = strategy['type'] ?? '';
  const problems: FieldProblem[] = [];
  if (!STRATEGIES.includes(String(type))) {
    problems.push(notInList('spec.rolloutStrategy.type', type, STRATEGIES.slice(1)));
  }
  const surge = asObject(strategy['rollingUpdate'])['maxSurge'];
  if (surge !== undefined && !(Number.isInteger(surge) && Number(surge) >= 0)) {
    problems.push({
      field: 'spec.rolloutStrategy.rollingUpdate.maxSurge',
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(surge)}: give a number of machines, 0 or more; percentages are not taken`,
    });
  }
  const warnings = [...replicaWarnings(spec['replicas'], surge, type), ...typeWarnings(spec['controlPlaneConfig'])];
  return { problems, warnings };
}

/** Machines of a worker's configuration run no etcd: the control plane would wait for ever. */
function typeWarnings(config: JsonObject[string]): readonly string[] {
  const generateType = asObject(asObject(config)['controlplane'])['generateType'];
  if (generateType !== 'worker' && generateType !== 'join') return [];
  const field = 'spec.controlPlaneConfig.controlplane.generateType';
  return [`${field}: "${generateType}" makes workers, which cannot be a control plane; use "controlplane".`];
}

function replicaWarnings(replicas: unknown, surge: unknown, type: unknown): readonly string[] {
  if (typeof replicas !== 'number') return [];
  if (replicas === 0) {
    return [
      'spec.replicas: 0 makes no machine and removes none: the last machine holds the data of etcd. Delete the Cluster to remove it.',
    ];
  }
  if (replicas % 2 === 0) {
    return [
      `spec.replicas: ${replicas} members of etcd survive the failure of ${replicas / 2 - 1}, as ${replicas - 1} do; use an odd number.`,
    ];
  }
  const needsSurge = replicas === 1 && surge === 0 && (type === '' || type === 'RollingUpdate');
  return needsSurge
    ? [
        'spec.rolloutStrategy.rollingUpdate.maxSurge: with one replica and no surge a rollout waits until replicas are added.',
      ]
    : [];
}

/** Defaults of TalosControlPlane: a version without "v" gets one, the template's namespace is the object's. */
export function defaultTalosControlPlane(object: JsonObject): JsonObject {
  const { spec } = object;
  if (spec === undefined) return object;
  const { version, infrastructureTemplate, ...rest } = asObject(spec);
  const template = asObject(infrastructureTemplate);
  const namespace = template['namespace'] ?? asObject(object['metadata'])['namespace'];
  return {
    ...object,
    spec: {
      ...rest,
      ...(typeof version === 'string' ? { version: version.startsWith('v') ? version : `v${version}` } : {}),
      ...(infrastructureTemplate === undefined
        ? {}
        : { infrastructureTemplate: namespace === undefined ? template : { ...template, namespace } }),
    },
  };
}
