import { type FieldProblem, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { items, record, text } from '../../json-parts.ts';
import { duplicate, invalid, ownMember, required, tooMany } from '../../schema/index.ts';
import { versionPaths } from './crd-parts.ts';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const MAX_SELECTABLE_FIELDS = 8;
const SIMPLE_PATH = 'must be a simple json path starting with .';

/** What is wrong with printer columns, the scale subresource and selectable fields of the versions. */
export function columnProblems(versions: readonly JsonObject[]): readonly FieldProblem[] {
  return [
    ...versionPaths(versions, 'additionalPrinterColumns', 'spec.additionalPrinterColumns').flatMap(
      ({ version, path }) =>
        items(version['additionalPrinterColumns']).flatMap((column, i) => columnOf(record(column), `${path}[${i}]`)),
    ),
    ...versionPaths(versions, 'subresources', 'spec.subresources').flatMap(({ version, path }) => {
      const { scale } = record(version['subresources']);
      return isJsonObject(scale) ? scaleProblems(scale, `${path}.scale`) : [];
    }),
    ...versionPaths(versions, 'selectableFields', 'spec.selectableFields').flatMap(({ version, path }) =>
      selectableProblems(version, path),
    ),
  ];
}

function columnOf(column: JsonObject, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const [name, type, format, jsonPath] = ['name', 'type', 'format', 'jsonPath'].map((member) => text(column[member]));
  if (name === '') problems.push(required(`${path}.name`));
  if (type === '' || type === undefined) problems.push(required(`${path}.type`, `must be one of ${COLUMN_TYPES}`));
  else if (!COLUMN_TYPES.includes(type)) problems.push(invalid(`${path}.type`, type, `must be one of ${COLUMN_TYPES}`));
  if (format !== undefined && format !== '' && !COLUMN_FORMATS.includes(format)) {
    problems.push(invalid(`${path}.format`, format, `must be one of ${COLUMN_FORMATS}`));
  }
  if (jsonPath === '' || jsonPath === undefined) problems.push(required(`${path}.JSONPath`));
  else if (!isSimplePath(jsonPath)) problems.push(invalid(`${path}.JSONPath`, jsonPath, SIMPLE_PATH));
  return problems;
}

/** A path of Kubernetes' JSONPath as columns use it: dots, brackets and filters, no braces. */
function isSimplePath(path: string): boolean {
  if (!path.startsWith('.') || path.length > 2000) return false;
  const bare = path.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '');
  let depth = 0;
  for (const char of bare) {
    if (char === '[') depth += 1;
    else if (char === ']') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0 && !/[{}"']/.test(bare);
}

function scaleProblems(scale: JsonObject, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const check = (member: string, roots: readonly string[], rule: string, isRequired: boolean): void => {
    const value = text(scale[member]);
    const field = `${path}.${member}`;
    if (value === '') {
      if (isRequired) problems.push(required(field));
    } else if (!isSimplePath(value)) problems.push(invalid(field, value, SIMPLE_PATH));
    else if (!roots.some((root) => value.startsWith(`${root}.`))) problems.push(invalid(field, value, rule));
  };
  check('specReplicasPath', ['.spec'], 'should be a json path under .spec', true);
  check('statusReplicasPath', ['.status'], 'should be a json path under .status', true);
  check('labelSelectorPath', ['.spec', '.status'], 'should be a json path under either .spec or .status', false);
  return problems;
}

function selectableProblems(version: JsonObject, path: string): readonly FieldProblem[] {
  const fields = items(version['selectableFields']).map((field) => text(record(field)['jsonPath']));
  const schema = record(version['schema'])['openAPIV3Schema'];
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  for (const [i, field] of fields.entries()) {
    const at = `${path}[${i}].jsonPath`;
    const why = selectableProblem(schema, field);
    if (field === '') problems.push(required(at));
    else if (seen.has(field)) problems.push(duplicate(at, field));
    else if (why !== undefined) problems.push(invalid(at, field, why));
    seen.add(field);
  }
  if (seen.size > MAX_SELECTABLE_FIELDS) problems.push(tooMany(path, fields.length, MAX_SELECTABLE_FIELDS));
  return problems;
}

function selectableProblem(schema: Json | undefined, path: string): string | undefined {
  if (!/^[.[]/.test(path)) return `is an invalid path: expected [ or . but got: ${/^[^.[]*/.exec(path)?.[0] ?? ''}`;
  if (path.includes('[')) return 'is an invalid path: array notation is not allowed';
  let here: Json | undefined = schema;
  for (const name of path.slice(1).split('.')) here = ownMember(record(record(here)['properties']), name);
  // Metadata is selected by other means.
  if (!isJsonObject(here) || path.startsWith('.metadata')) return 'is an invalid path: does not refer to a valid field';
  return ['string', 'boolean', 'integer'].includes(text(here['type']))
    ? undefined
    : 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
}
