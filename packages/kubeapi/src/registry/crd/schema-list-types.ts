import { type FieldProblem, isJsonObject, type JsonObject } from '@bloomery/model';
import { items, record, text } from '../../json-parts.ts';
import { forbidden, invalid, notSupported, ownMember, required } from '../../schema/index.ts';

const SCALARS = ['boolean', 'integer', 'number', 'string'];

/** What is wrong with list and map types of one schema. */
export function listTypeProblems(schema: JsonObject, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const listType = schema['x-kubernetes-list-type'];
  const mapType = schema['x-kubernetes-map-type'];
  const type = text(schema['type']);
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (listType !== undefined) {
    problems.push(...ofType(type, 'array', 'x-kubernetes-list-type', path));
    if (!['atomic', 'set', 'map'].includes(text(listType))) {
      problems.push(notSupported(`${path}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
    }
  }
  if (mapType !== undefined) {
    problems.push(...ofType(type, 'object', 'x-kubernetes-map-type', path));
    if (!['atomic', 'granular'].includes(text(mapType))) {
      problems.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
    }
  }
  const keys = items(schema['x-kubernetes-list-map-keys']).map(text);
  if (listType === 'map') {
    if (keys.length === 0) problems.push(required(at, 'must not be empty if x-kubernetes-list-type is map'));
    else problems.push(...mapListProblems(record(schema['items']), keys, path));
  } else if (keys.length > 0) {
    problems.push(required(`${path}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty'));
  }
  if (listType === 'set') problems.push(...setProblems(record(schema['items']), path));
  return problems;
}

function ofType(type: string, wanted: string, extension: string, path: string): readonly FieldProblem[] {
  if (type === wanted) return [];
  const why = `must be ${wanted} if ${extension} is specified`;
  return [type === '' ? required(`${path}.type`, why) : invalid(`${path}.type`, type, why)];
}

function setProblems(item: JsonObject, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (item['nullable'] === true) {
    problems.push(forbidden(`${path}.items.nullable`, 'cannot be nullable when x-kubernetes-list-type is set'));
  }
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  if (item['type'] === 'object' && item['x-kubernetes-map-type'] !== 'atomic') {
    problems.push(invalid(`${path}.items.x-kubernetes-map-type`, item['x-kubernetes-map-type'] ?? null, why));
  }
  const listType = item['x-kubernetes-list-type'];
  if (item['type'] === 'array' && listType !== undefined && listType !== 'atomic') {
    problems.push(invalid(`${path}.items.x-kubernetes-list-type`, listType, why));
  }
  return problems;
}

function mapListProblems(item: JsonObject, keys: readonly string[], path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (item['nullable'] === true) {
    problems.push(forbidden(`${path}.items.nullable`, 'cannot be nullable when x-kubernetes-list-type is map'));
  }
  if (item['type'] !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    return [...problems, invalid(`${path}.items.type`, text(item['type']), why)];
  }
  const properties = record(item['properties']);
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (new Set(keys).size < keys.length) problems.push(invalid(at, keys, 'must not contain duplicate entries'));
  if (keys.some((key) => ownMember(properties, key) === undefined)) {
    problems.push(invalid(at, keys, 'entries must all be names of item properties'));
  }
  for (const key of new Set(keys)) {
    const property = ownMember(properties, key);
    if (isJsonObject(property)) problems.push(...keyProblems(item, property, key, `${path}.items.properties[${key}]`));
  }
  return problems;
}

function keyProblems(item: JsonObject, property: JsonObject, key: string, path: string): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const listed = 'this property is in x-kubernetes-list-map-keys, so it';
  const type = text(property['type']);
  if (type !== '' && !SCALARS.includes(type)) {
    const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
    problems.push(invalid(`${path}.type`, type, why));
  }
  if (property['nullable'] === true) problems.push(forbidden(`${path}.nullable`, `${listed} cannot be nullable`));
  if (property['default'] === undefined && !items(item['required']).includes(key)) {
    problems.push(required(`${path}.default`, `${listed} must have a default or be a required property`));
  }
  return problems;
}
