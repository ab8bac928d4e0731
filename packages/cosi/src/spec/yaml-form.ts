import { formatGoDuration } from '@bloomery/wire';
import type { Field, Fields } from './field.ts';
import { isZero, itemsOf, recordOf } from './is-zero.ts';
import { namesOfBits } from './named-value.ts';
import { type YamlNode, yamlDocument } from './yaml-node.ts';

/** What Go prints for a time that is not set. */
const NO_TIME = '0001-01-01T00:00:00Z';

/** The YAML form of a spec: one document without a head, keys in the order of the table. */
export function specToYaml(fields: Fields, spec: Readonly<Record<string, unknown>>): string {
  return yamlDocument({ map: entries(fields, spec) });
}

function entries(fields: Fields, spec: Readonly<Record<string, unknown>>): (readonly [string, YamlNode])[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const value = spec[name];
    if (field.kind === 'message' && field.inline) return entries(field.fields, recordOf(value));
    if (field.omitEmpty && isZero(field, value)) return [];
    return [[name, node(field, value)] as const];
  });
}

function node(field: Field, value: unknown): YamlNode {
  switch (field.kind) {
    case 'bool':
    case 'uint':
    case 'int':
      return { plain: String(value) };
    case 'duration':
      return { text: formatGoDuration(BigInt(Math.round(Number(value) * 1e6))) };
    case 'time':
      return { plain: timeText(Number(value)) };
    case 'bytes':
      return { list: Array.from(value instanceof Uint8Array ? value : [], (byte) => ({ plain: String(byte) })) };
    case 'flags':
      return { text: namesOfBits(field.names, Number(value)).join(',') };
    case 'optional':
      return value === undefined ? { plain: 'null' } : node(field.of, value);
    case 'list':
      return field.asMap ? { map: pairs(value) } : { list: itemsOf(value).map((item) => node(field.of, item)) };
    case 'map':
      return { map: mapEntries(field.value, recordOf(value)) };
    case 'message':
      return { map: entries(field.fields, recordOf(value)) };
    default:
      return { text: String(value) };
  }
}

function mapEntries(field: Field, values: Readonly<Record<string, unknown>>): (readonly [string, YamlNode])[] {
  return Object.keys(values)
    .sort()
    .map((key) => [key, node(field, values[key])] as const);
}

/** Names and what is said of them, which Go writes as they are. */
function pairs(value: unknown): (readonly [string, YamlNode])[] {
  return itemsOf(value).map((item) => {
    const [key, said] = Object.values(recordOf(item));
    return [String(key), { plain: String(said) }] as const;
  });
}

function timeText(epochMs: number): string {
  if (epochMs === 0) return NO_TIME;
  return new Date(epochMs).toISOString().replace(/\.?0*Z$/, 'Z');
}
