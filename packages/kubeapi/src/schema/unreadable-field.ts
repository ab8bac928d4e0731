import { isJsonObject, type Json, type JsonObject, type Schema } from '@bloomery/model';
import { messageNameOf } from '../builtin/message-schema.ts';
import { ownMember } from './field-path.ts';
import { matchesFormat } from './formats.ts';
import { jsonType } from './validate.ts';

/**
 * Why a body of a built-in kind cannot be decoded: kube-apiserver reads these into typed structures and refuses wrong
 * types with 400 before it validates.
 *
 * Text that should be base64 and is not counts as well.
 *
 * @returns `json: cannot unmarshal number into Go struct field ConfigMap.data of type string`, or undefined.
 */
export function unreadableField(schema: Schema, object: JsonObject, kind: string): string | undefined {
  const found = find(schema, object, []);
  if (found === undefined) return undefined;
  if ('text' in found) return found.text;
  const [first = ''] = found.path;
  const owner = found.path.length > 1 ? `${kind}${first.charAt(0).toUpperCase()}${first.slice(1)}` : kind;
  const field = [owner, ...found.path].join('.');
  return `json: cannot unmarshal ${GO_VALUES[found.actual] ?? found.actual} into Go struct field ${field} of type ${found.wanted}`;
}

const GO_VALUES: Readonly<Record<string, string>> = { boolean: 'bool', integer: 'number' };

interface Mistyped {
  readonly path: readonly string[];
  readonly actual: string;
  readonly wanted: string;
}

function find(schema: Schema, value: Json, path: readonly string[]): Mistyped | { readonly text: string } | undefined {
  const { type } = schema;
  if (value === null || schema['x-kubernetes-int-or-string'] === true) return undefined;
  const actual = jsonType(value);
  const fits = type === undefined || type === actual || (type === 'number' && actual === 'integer');
  if (!fits) return { path, actual, wanted: goType(schema) };
  if (schema.format === 'byte' && typeof value === 'string' && value !== '' && !matchesFormat('byte', value)) {
    return { text: `illegal base64 data at input byte ${firstIllegal(value)}` };
  }
  if (schema.format === 'date-time' && typeof value === 'string' && !matchesFormat('date-time', value)) {
    const text = JSON.stringify(value);
    return { text: `parsing time ${text} as "2006-01-02T15:04:05Z07:00": cannot parse ${text} as "2006"` };
  }
  if (Array.isArray(value)) return firstOf(value, (item: Json) => find(schema.items ?? {}, item, path));
  if (!isJsonObject(value)) return undefined;
  const { additionalProperties, properties } = schema;
  return firstOf(Object.entries(value), ([name, member]) => {
    const declared = ownMember(properties, name);
    if (declared !== undefined) return find(declared, member ?? null, [...path, name]);
    // Entries of a map have no name of their own in Go's message.
    return typeof additionalProperties === 'object' ? find(additionalProperties, member ?? null, path) : undefined;
  });
}

/** Where a base64 decoder stops: at the first character that is none of its own, else at the end. */
function firstIllegal(text: string): number {
  const at = text.search(/[^A-Za-z0-9+/]/);
  return at < 0 ? text.length - (text.length % 4) : at;
}

function firstOf<T, R>(items: readonly T[], look: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = look(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Go names a structure by its package, which is called after the version. */
function structType(schema: Schema): string {
  const message = messageNameOf(schema);
  if (message === undefined) return 'struct';
  const [group, name] = message.split('.');
  return `${group === 'autoscaling' ? 'v2' : 'v1'}.${name}`;
}

function goType(schema: Schema): string {
  switch (schema.type) {
    case 'boolean':
      return 'bool';
    case 'integer':
      return schema.format === 'int64' ? 'int64' : 'int32';
    case 'array':
      return `[]${goType(schema.items ?? {})}`;
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `map[string]${goType(schema.additionalProperties)}`
        : structType(schema);
    default:
      return schema.format === 'byte' ? '[]uint8' : (schema.type ?? 'interface {}');
  }
}
