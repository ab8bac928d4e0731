import type { FieldProblem, JsonObject, schema } from '@bloomery/model';
import { invalid, memberPath, processValue } from '../../schema/index.ts';

/** What is wrong with the default of one schema: it must be valid, and hold only known fields. */
export function defaultProblems(node: JsonObject, path: string): readonly FieldProblem[] {
  const value = node['default'];
  if (value === undefined || value === null) return [];
  const at = `${path}.default`;
  const { unknownFields, problems } = processValue(node as schema.Schema, value);
  if (unknownFields.length > 0) return [invalid(at, value, 'must not have unknown fields')];
  return problems.map((problem) => ({
    ...problem,
    field: problem.field === '' || problem.field === '<nil>' ? at : memberPath(at, problem.field),
  }));
}
