import { asObject } from '../conversion-data.ts';
import type { JsonObject } from '../json.ts';
import type { Admission } from '../kind.ts';
import { LABELS } from '../well-known.ts';
import { otherCluster, templateProblems, withTemplateDefaults } from './admit-machine-template.ts';
import { labelValueOf } from './label-value.ts';

/** Checks of MachineSet beyond its schema, as Cluster API's webhook makes them. */
export function admitMachineSet(object: JsonObject, old: JsonObject | undefined): Admission {
  return { problems: [...templateProblems(object), ...otherCluster(object, old)] };
}

/** Defaults of MachineSet, as Cluster API's webhook gives them. */
export function defaultMachineSet(object: JsonObject, old?: JsonObject): JsonObject {
  const name = String(asObject(object['metadata'])['name'] ?? '');
  const own = { nameLabel: LABELS.machineSet, nameValue: labelValueOf(name), selectsCluster: false };
  const completed = withTemplateDefaults(object, own, old);
  if (completed['spec'] === undefined) return completed;
  const spec = asObject(completed['spec']);
  return { ...completed, spec: { ...spec, deletePolicy: spec['deletePolicy'] || 'Random' } };
}
