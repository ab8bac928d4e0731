import { type FieldProblem, type JsonObject, jsonEqual } from '@bloomery/model';
import { items, record, text } from '../../json-parts.ts';
import { invalid } from '../../schema/index.ts';
import { versionsOf } from './crd-parts.ts';

/** What an update may not change. */
export function updateProblems(object: JsonObject, old: JsonObject): readonly FieldProblem[] {
  const [spec, before] = [record(object['spec']), record(old['spec'])];
  const [names, namesBefore] = [record(spec['names']), record(before['names'])];
  const problems: FieldProblem[] = [];
  const immutable = (field: string, value: JsonObject[string], was: JsonObject[string]): void => {
    if (!jsonEqual(value, was)) problems.push(invalid(field, value ?? null, 'field is immutable'));
  };
  immutable('spec.group', spec['group'], before['group']);
  immutable('spec.names.plural', names['plural'], namesBefore['plural']);
  if (isEstablished(old)) {
    immutable('spec.scope', spec['scope'], before['scope']);
    immutable('spec.names.kind', names['kind'], namesBefore['kind']);
  }
  const present = new Set(versionsOf(spec).map((version) => text(version['name'])));
  for (const [i, version] of items(record(old['status'])['storedVersions']).map(text).entries()) {
    if (present.has(version)) continue;
    const why =
      `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage ` +
      `migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    problems.push(invalid(`status.storedVersions[${i}]`, version, why));
  }
  return problems;
}

function isEstablished(crd: JsonObject): boolean {
  return items(record(crd['status'])['conditions'])
    .map(record)
    .some((condition) => condition['type'] === 'Established' && condition['status'] === 'True');
}
