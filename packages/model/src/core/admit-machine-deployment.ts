import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { Admission, FieldProblem } from '../kind.ts';
import { LABELS } from '../well-known.ts';
import {
  countProblems,
  invalid,
  otherCluster,
  templateProblems,
  withTemplateDefaults,
} from './admit-machine-template.ts';
import { isLabelValue } from './label-value.ts';

const ROLLING = 'spec.strategy.rollingUpdate';

/** Checks of MachineDeployment beyond its schema, as Cluster API's webhook makes them. */
export function admitMachineDeployment(object: JsonObject, old: JsonObject | undefined): Admission {
  const name = String(asObject(object['metadata'])['name'] ?? '');
  const strategy = asObject(asObject(object['spec'])['strategy']);
  return {
    problems: [
      ...(isLabelValue(name) ? [] : [invalid('metadata.name', name, 'must be a valid label value')]),
      ...templateProblems(object),
      ...otherCluster(object, old),
      ...rollingProblems(asObject(strategy['rollingUpdate'])),
      ...countProblems('spec.strategy.remediation.maxInFlight', asObject(strategy['remediation'])['maxInFlight']),
    ],
  };
}

function rollingProblems({ maxSurge, maxUnavailable }: JsonObject): readonly FieldProblem[] {
  const isNothing = (value: unknown): boolean => value === 0 || value === '0%';
  return [
    ...countProblems(`${ROLLING}.maxSurge`, maxSurge),
    ...countProblems(`${ROLLING}.maxUnavailable`, maxUnavailable),
    ...(isNothing(maxSurge) && isNothing(maxUnavailable)
      ? [invalid(`${ROLLING}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
  ];
}

/** Defaults of MachineDeployment, as Cluster API's webhook gives them. */
export function defaultMachineDeployment(object: JsonObject, old?: JsonObject): JsonObject {
  const name = String(asObject(object['metadata'])['name'] ?? '');
  const own = { nameLabel: LABELS.machineDeployment, nameValue: name, selectsCluster: true };
  const completed = withTemplateDefaults(object, own, old);
  if (completed['spec'] === undefined) return completed;
  const spec = asObject(completed['spec']);
  const strategy = asObject(spec['strategy']);
  const type = strategy['type'] || 'RollingUpdate';
  const rolling = { maxSurge: 1, maxUnavailable: 0, ...asObject(strategy['rollingUpdate']) };
  return {
    ...completed,
    spec: {
      ...spec,
      minReadySeconds: spec['minReadySeconds'] ?? 0,
      revisionHistoryLimit: spec['revisionHistoryLimit'] ?? 1,
      progressDeadlineSeconds: spec['progressDeadlineSeconds'] ?? 600,
      strategy: { ...strategy, type, ...(type === 'RollingUpdate' ? { rollingUpdate: rolling } : {}) },
    },
  };
}
