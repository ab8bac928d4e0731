import { parseGoDurationMs } from '@bloomery/wire';
import { asObject } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Admission, FieldProblem } from '../kind.ts';
import type { LabelSelector } from '../selector/label-selector.ts';
import { LABELS } from '../well-known.ts';
import { countProblems, durationProblems, invalid, otherCluster, selectorProblem } from './admit-machine-template.ts';

const MIN_STARTUP_MS = 30_000;

/** Checks of MachineHealthCheck beyond its schema, as Cluster API's webhook makes them. */
export function admitMachineHealthCheck(object: JsonObject, old: JsonObject | undefined): Admission {
  const spec = asObject(object['spec']);
  return {
    problems: [
      ...selectorProblems(spec),
      ...otherCluster(object, old),
      ...startupProblems(spec['nodeStartupTimeout']),
      ...countProblems('spec.maxUnhealthy', spec['maxUnhealthy']),
      ...rangeProblems(spec['unhealthyRange']),
      ...conditionProblems(spec['unhealthyConditions']),
      ...namespaceProblems(object),
    ],
  };
}

/** Defaults of MachineHealthCheck, as Cluster API's webhook gives them. */
export function defaultMachineHealthCheck(object: JsonObject): JsonObject {
  if (object['spec'] === undefined) return object;
  const metadata = asObject(object['metadata']);
  const spec = asObject(object['spec']);
  const template = spec['remediationTemplate'];
  const { clusterName } = spec;
  const { namespace } = metadata;
  const labels = {
    ...asObject(metadata['labels']),
    ...(typeof clusterName === 'string' ? { [LABELS.clusterName]: clusterName } : {}),
  };
  const isUnplaced = template !== undefined && namespace !== undefined && !asObject(template)['namespace'];
  return {
    ...object,
    metadata: { ...metadata, labels },
    spec: {
      ...spec,
      maxUnhealthy: spec['maxUnhealthy'] ?? '100%',
      nodeStartupTimeout: spec['nodeStartupTimeout'] ?? '10m0s',
      ...(isUnplaced ? { remediationTemplate: { ...asObject(template), namespace } } : {}),
    },
  };
}

function selectorProblems({ selector, clusterName }: JsonObject): readonly FieldProblem[] {
  const { matchLabels, matchExpressions } = asObject(selector);
  const unreadable = selectorProblem(asObject(selector) as LabelSelector);
  if (unreadable.length > 0) return unreadable;
  const isEmpty =
    Object.keys(asObject(matchLabels)).length === 0 &&
    !(Array.isArray(matchExpressions) && matchExpressions.length > 0);
  if (isEmpty) {
    const message = 'Required value: selector must not be empty';
    return [{ field: 'spec.selector', reason: 'FieldValueRequired', message }];
  }
  const selected = asObject(matchLabels)[LABELS.clusterName];
  if (selected === undefined || selected === clusterName) return [];
  const why = 'cannot specify a cluster selector other than the one specified by ClusterName';
  return [invalid('spec.selector', selector, why)];
}

function startupProblems(value: Json | undefined): readonly FieldProblem[] {
  const field = 'spec.nodeStartupTimeout';
  const wrong = durationProblems(field, value);
  if (wrong.length > 0 || typeof value !== 'string') return wrong;
  const spanMs = parseGoDurationMs(value) ?? 0;
  return spanMs === 0 || spanMs >= MIN_STARTUP_MS ? [] : [invalid(field, value, 'must be at least 30s')];
}

function rangeProblems(value: Json | undefined): readonly FieldProblem[] {
  if (typeof value !== 'string') return [];
  const [, from, to] = /^\[(\d+)-(\d+)\]$/.exec(value) ?? [];
  if (from === undefined || to === undefined || Number(from) <= Number(to)) return [];
  return [invalid('spec.unhealthyRange', value, `max value ${to} cannot be less than min value ${from}`)];
}

function conditionProblems(conditions: Json | undefined): readonly FieldProblem[] {
  if (!Array.isArray(conditions)) return [];
  return conditions.flatMap((condition, i) =>
    durationProblems(`spec.unhealthyConditions.${i}.timeout`, asObject(condition)['timeout']),
  );
}

function namespaceProblems({ metadata, spec }: JsonObject): readonly FieldProblem[] {
  const { namespace } = asObject(asObject(spec)['remediationTemplate']);
  if (namespace === undefined || namespace === asObject(metadata)['namespace']) return [];
  return [invalid('spec.remediationTemplate.namespace', namespace, 'must match metadata.namespace')];
}
