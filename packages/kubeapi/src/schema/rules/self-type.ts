import { isJsonObject, type Json, jsonEqual, type schema } from '@bloomery/model';
import { Duration, type Environment } from '@marcbachmann/cel-js/evaluator';
import { type Convert, dynamicValue, TypedObject } from '../../cel/index.ts';
import { ruleNameOf } from './property-name.ts';

type Schema = schema.Schema;

/** A type that rules see, and how values get it. */
export interface SelfType {
  readonly name: string;
  readonly convert: Convert;
}

const STRING: Schema = { type: 'string' };
const RESOURCE_MEMBERS: Readonly<Record<string, Schema>> = {
  apiVersion: STRING,
  kind: STRING,
  metadata: { type: 'object', properties: { name: STRING, generateName: STRING } },
};

/**
 * Declare the type of the values of a schema. Only fields whose names are `used` are declared: large schemas cost what their
 * rules look at.
 *
 * @param isResource the value is a whole object: apiVersion, kind and the name can be seen.
 * @returns undefined for values that rules cannot see: those without a type.
 */
export function declareType(
  env: Environment,
  schema: Schema,
  name: string,
  used: ReadonlySet<string>,
  isResource = schema['x-kubernetes-embedded-resource'] === true,
): SelfType | undefined {
  const type = declarePlain(env, schema, name, used, isResource);
  if (type === undefined || schema.nullable !== true) return type;
  return { name: 'dyn', convert: (value) => (value === null ? null : type.convert(value)) };
}

function declarePlain(
  env: Environment,
  schema: Schema,
  name: string,
  used: ReadonlySet<string>,
  isResource: boolean,
): SelfType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return { name: 'dyn', convert: dynamicValue };
  switch (schema.type) {
    case 'integer':
      return { name: 'int', convert: (value) => (typeof value === 'number' ? wholeNumber(value) : value) };
    case 'number':
      return { name: 'double', convert: (value) => (typeof value === 'bigint' ? Number(value) : value) };
    case 'boolean':
      return { name: 'bool', convert: identity };
    case 'string':
      return stringType(schema);
    case 'array':
      return listType(env, schema, name, used);
    case 'object':
      return mapType(env, schema, name, used) ?? objectType(env, schema, name, used, isResource);
    default:
      return undefined;
  }
}

function identity(value: Json): unknown {
  return value;
}

function wholeNumber(value: number): unknown {
  return Number.isInteger(value) ? BigInt(value) : value;
}

function stringType({ format }: Schema): SelfType {
  switch (format) {
    case 'byte':
      return {
        name: 'bytes',
        convert: (value) => (typeof value === 'string' ? new Uint8Array(Buffer.from(value, 'base64')) : value),
      };
    case 'date':
    case 'date-time':
      return {
        name: 'google.protobuf.Timestamp',
        convert: (value) => (typeof value === 'string' ? new Date(value) : value),
      };
    case 'duration':
      return {
        name: 'google.protobuf.Duration',
        convert: (value) => (typeof value === 'string' ? durationOf(value) : value),
      };
    default:
      return { name: 'string', convert: identity };
  }
}

const NANOSECONDS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** A Go duration. What is none has been refused by the schema's format. */
function durationOf(text: string): Duration {
  let nanos = 0;
  for (const [, amount = '0', unit = 's'] of text.matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h)/g)) {
    nanos += Number(amount) * (NANOSECONDS[unit] ?? 0);
  }
  const signed = text.startsWith('-') ? -nanos : nanos;
  const seconds = Math.trunc(signed / 1e9);
  return new Duration(BigInt(seconds), Math.round(signed - seconds * 1e9));
}

function listType(env: Environment, schema: Schema, name: string, used: ReadonlySet<string>): SelfType | undefined {
  const items = schema.items === undefined ? undefined : declareType(env, schema.items, `${name}.idx`, used);
  if (items === undefined) return undefined;
  const convert: Convert = (value) => (Array.isArray(value) ? value.map((item: Json) => items.convert(item)) : value);
  return { name: `list<${items.name}>`, convert };
}

function mapType(env: Environment, schema: Schema, name: string, used: ReadonlySet<string>): SelfType | undefined {
  const { additionalProperties } = schema;
  if (typeof additionalProperties !== 'object') return undefined;
  const values = declareType(env, additionalProperties, `${name}.elem`, used);
  if (values === undefined) return undefined;
  const convert: Convert = (value) => {
    if (!isJsonObject(value)) return value;
    const entries = Object.entries(value).filter(([, member]) => member !== undefined);
    return new Map(entries.map(([key, member]) => [key, values.convert(member ?? null)]));
  };
  return { name: `map<string, ${values.name}>`, convert };
}

function objectType(
  env: Environment,
  schema: Schema,
  name: string,
  used: ReadonlySet<string>,
  isResource: boolean,
): SelfType {
  const fields = new Map<string, { property: string; convert: Convert }>();
  const types: Record<string, string> = {};
  const properties = isResource ? { ...schema.properties, ...RESOURCE_MEMBERS } : (schema.properties ?? {});
  for (const [property, child] of Object.entries(properties)) {
    const ruleName = ruleNameOf(property);
    if (ruleName === undefined || !used.has(ruleName)) continue;
    const type = declareType(env, child, `${name}.${ruleName}`, used);
    if (type === undefined) continue;
    fields.set(ruleName, { property, convert: type.convert });
    types[ruleName] = type.name;
  }
  const Declared = class extends TypedObject {};
  env.registerType(name, { ctor: Declared, fields: types });
  env.registerOperator(`${name} == ${name}`, (a: TypedObject, b: TypedObject) => jsonEqual(a.raw, b.raw));
  return { name, convert: (value) => (isJsonObject(value) ? new Declared(value, fields) : value) };
}
