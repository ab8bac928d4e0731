import { type FieldProblem, isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { items, record, text } from '../../json-parts.ts';
import { forbidden, invalid, notSupported, patternProblem, required } from '../../schema/index.ts';
import { defaultProblems } from './schema-defaults.ts';
import { listTypeProblems } from './schema-list-types.ts';
import { ruleProblems } from './schema-rules.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** Deeper schemas are refused: they are walked by functions that call themselves. */
const MAX_DEPTH = 100;

type Place = 'root' | 'property' | 'items';

const TYPE_REQUIRED: Readonly<Record<Place, string>> = {
  root: 'must not be empty at the root',
  property: 'must not be empty for specified object fields',
  items: 'must not be empty for specified array items',
};

/**
 * What keeps a version's schema from being structural, and what is wrong with its extensions, defaults, patterns and rules, at
 * the paths and in the words of kube-apiserver.
 */
export function schemaProblems(schema: JsonObject, path: string): readonly FieldProblem[] {
  const walk = new SchemaWalk();
  walk.structural(schema, path, 'root', 0, undefined);
  if (schema['nullable'] === true)
    walk.problems.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  walk.problems.push(...rootMetadataProblems(schema, path));
  return walk.problems;
}

/** Fields that every object has may not be described otherwise. */
function resourceFieldProblems(schema: JsonObject, path: string): readonly FieldProblem[] {
  const properties = record(schema['properties']);
  return Object.entries({ apiVersion: 'string', kind: 'string', metadata: 'object' }).flatMap(([name, type]) => {
    const given = properties[name];
    if (!isJsonObject(given) || given['type'] === type || text(given['type']) === '') return [];
    return [invalid(`${path}.properties[${name}].type`, text(given['type']), `must be ${type}`)];
  });
}

function rootMetadataProblems(schema: JsonObject, path: string): readonly FieldProblem[] {
  const metadata = record(schema['properties'])['metadata'];
  if (!isJsonObject(metadata)) return [];
  const at = `${path}.properties[metadata]`;
  const problems: FieldProblem[] = [];
  const properties = record(metadata['properties']);
  const allowed = new Set(['type', 'description', 'properties', 'title', 'default']);
  const alien = Object.keys(metadata).some((key) => !allowed.has(key));
  if (alien || Object.keys(properties).some((name) => name !== 'name' && name !== 'generateName')) {
    problems.push(
      forbidden(at, 'must not specify anything other than name and generateName, but metadata is implicitly specified'),
    );
  }
  if (metadata['default'] !== undefined)
    problems.push(forbidden(`${at}.default`, 'must not be set in top-level metadata'));
  for (const [name, property] of Object.entries(properties)) {
    if (record(property)['default'] === undefined) continue;
    problems.push(forbidden(`${at}.properties[${name}].default`, 'must not be set in top-level metadata'));
  }
  return problems;
}

class SchemaWalk {
  readonly problems: FieldProblem[] = [];

  /** @param uncorrelated path of the list above whose items have no counterparts in an old value. */
  structural(schema: JsonObject, path: string, place: Place, depth: number, uncorrelated: string | undefined): void {
    if (depth > MAX_DEPTH) {
      this.problems.push(forbidden(path, `must not be nested deeper than ${MAX_DEPTH} levels`));
      return;
    }
    this.#type(schema, path, place);
    this.#shape(schema, path);
    if (place === 'root' || schema['x-kubernetes-embedded-resource'] === true) {
      this.problems.push(...resourceFieldProblems(schema, path));
    }
    this.#embedded(schema, path);
    this.problems.push(...listTypeProblems(schema, path));
    this.#value(schema, path, depth);
    const isRootMetadata = depth > 0 && path.endsWith('openAPIV3Schema.properties[metadata]');
    if (!isRootMetadata)
      this.problems.push(
        ...defaultProblems(schema, path),
        ...ruleProblems(schema, path, place === 'root', uncorrelated),
      );
    this.#children(schema, path, depth, uncorrelated);
  }

  #children(schema: JsonObject, path: string, depth: number, uncorrelated: string | undefined): void {
    for (const [name, child] of Object.entries(record(schema['properties']))) {
      this.structural(record(child), `${path}.properties[${name}]`, 'property', depth + 1, uncorrelated);
    }
    const { additionalProperties, items: itemSchema } = schema;
    if (isJsonObject(additionalProperties)) {
      this.structural(additionalProperties, `${path}.additionalProperties`, 'property', depth + 1, uncorrelated);
    }
    if (isJsonObject(itemSchema)) {
      const lost = uncorrelated ?? (schema['x-kubernetes-list-type'] === 'map' ? undefined : path);
      this.structural(itemSchema, `${path}.items`, 'items', depth + 1, lost);
    }
  }

  #type(schema: JsonObject, path: string, place: Place): void {
    const type = text(schema['type']);
    const free =
      schema['$ref'] !== undefined ||
      schema['x-kubernetes-int-or-string'] === true ||
      schema['x-kubernetes-preserve-unknown-fields'] === true;
    if (type === '' && (place === 'root' || !free)) this.problems.push(required(`${path}.type`, TYPE_REQUIRED[place]));
    if (place === 'root' && type !== '' && type !== 'object') {
      this.problems.push(invalid(`${path}.type`, type, 'must be object at the root'));
    }
  }

  #shape(schema: JsonObject, path: string): void {
    const { additionalProperties } = schema;
    const hasProperties = Object.keys(record(schema['properties'])).length > 0;
    if (hasProperties && (isJsonObject(additionalProperties) || additionalProperties === false)) {
      const why = 'additionalProperties and properties are mutual exclusive';
      this.problems.push(forbidden(`${path}.additionalProperties`, why));
    }
    if (schema['type'] === 'array' && !isJsonObject(schema['items'])) {
      this.problems.push(required(`${path}.items`, 'must be specified'));
    }
    if (schema['x-kubernetes-preserve-unknown-fields'] === false) {
      this.problems.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
    }
  }

  #embedded(schema: JsonObject, path: string): void {
    if (schema['x-kubernetes-embedded-resource'] !== true) return;
    const type = text(schema['type']);
    if (type !== 'object') {
      this.problems.push(invalid(`${path}.type`, type, 'must be object if x-kubernetes-embedded-resource is true'));
    }
    const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
    if (!open && Object.keys(record(schema['properties'])).length === 0) {
      const why =
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
      this.problems.push(required(`${path}.properties`, why));
    }
  }

  /** What holds for every schema, also for those below allOf, anyOf, oneOf and not. */
  #value(schema: JsonObject, path: string, depth: number): void {
    const type = text(schema['type']);
    if (type === 'null') {
      this.problems.push(forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
    }
    if (type !== '' && !TYPES.includes(type)) this.problems.push(notSupported(`${path}.type`, type, TYPES));
    if (schema['$ref'] !== undefined) this.problems.push(forbidden(`${path}.$ref`, '$ref is not supported'));
    if (schema['uniqueItems'] === true) {
      const why = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
      this.problems.push(forbidden(`${path}.uniqueItems`, why));
    }
    const pattern = text(schema['pattern']);
    const broken = pattern === '' ? undefined : patternProblem(pattern);
    if (broken !== undefined) {
      const why = `must be a valid regular expression, but isn't: ${broken}`;
      this.problems.push(invalid(`${path}.pattern`, pattern, why));
    }
    for (const junctor of ['allOf', 'anyOf', 'oneOf']) {
      for (const [i, nested] of items(schema[junctor]).entries()) {
        this.#nested(record(nested), `${path}.${junctor}[${i}]`, depth + 1, isTypeAllowed(schema, junctor));
      }
    }
    const { not } = schema;
    if (isJsonObject(not)) this.#nested(not, `${path}.not`, depth + 1, false);
  }

  #nested(schema: JsonObject, path: string, depth: number, types: 'own' | 'anyOf' | false): void {
    if (depth > MAX_DEPTH) {
      this.problems.push(forbidden(path, `must not be nested deeper than ${MAX_DEPTH} levels`));
      return;
    }
    for (const [member, absent] of NOT_IN_JUNCTORS) {
      if (member === 'type' && types === 'own') continue;
      const value = schema[member];
      if (isAbsent(value, absent)) continue;
      this.problems.push(forbidden(`${path}.${member}`, `must be ${absent} to be structural`));
    }
    this.problems.push(...listTypeProblems(schema, path));
    // Types inside anyOf inside allOf belong to int-or-string; there they are allowed as well.
    this.#value(types === 'anyOf' ? { ...schema, 'x-kubernetes-int-or-string': true } : schema, path, depth);
    for (const [name, child] of Object.entries(record(schema['properties']))) {
      this.#nested(record(child), `${path}.properties[${name}]`, depth + 1, false);
    }
    if (isJsonObject(schema['items'])) this.#nested(schema['items'], `${path}.items`, depth + 1, false);
  }
}

type Absence = 'empty' | 'undefined' | 'false';

const NOT_IN_JUNCTORS: readonly (readonly [string, Absence])[] = [
  ['type', 'empty'],
  ['title', 'empty'],
  ['description', 'empty'],
  ['default', 'undefined'],
  ['additionalProperties', 'undefined'],
  ['nullable', 'false'],
  ['x-kubernetes-preserve-unknown-fields', 'false'],
  ['x-kubernetes-embedded-resource', 'false'],
  ['x-kubernetes-int-or-string', 'false'],
  ['x-kubernetes-list-map-keys', 'empty'],
  ['x-kubernetes-list-type', 'undefined'],
  ['x-kubernetes-map-type', 'undefined'],
  ['x-kubernetes-validations', 'empty'],
];

function isAbsent(value: Json | undefined, absence: Absence): boolean {
  if (value === undefined || value === null) return true;
  if (absence === 'false') return value === false;
  return absence === 'empty' && (value === '' || (Array.isArray(value) && value.length === 0));
}

const INT_OR_STRING = JSON.stringify(['integer', 'string']);

/** int-or-string values may say their two types in one anyOf, or in one that stands first in allOf. */
function isTypeAllowed(schema: JsonObject, junctor: string): 'own' | 'anyOf' | false {
  if (schema['x-kubernetes-int-or-string'] !== true) return false;
  if (junctor === 'anyOf') {
    const types = items(schema['anyOf']).map((one) => record(one)['type'] ?? null);
    return JSON.stringify(types) === INT_OR_STRING ? 'own' : false;
  }
  return junctor === 'allOf' ? 'anyOf' : false;
}
