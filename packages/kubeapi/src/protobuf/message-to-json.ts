import { type Json, parseJson } from '@bloomery/model';
import type { DescField } from '@bufbuild/protobuf';
import { isReflectMessage, type ReflectMessage } from '@bufbuild/protobuf/reflect';

/** A field whose content cannot be shown as JSON. */
export class UnreadableField extends Error {}

/** Numbers that Go clients always send and JSON leaves out when zero; all other numbers are optional ones. */
const ZERO_IS_ABSENT = new Set(['generation', 'count', 'deprecated_count', 'observed_generation']);

/** The JSON of a Kubernetes protobuf message; undefined for a time that is not set. */
export function messageToJson(message: ReflectMessage): Json | undefined {
  switch (message.desc.typeName) {
    case 'k8s.meta.Time':
      return timeText(message, 0);
    case 'k8s.meta.MicroTime':
      return timeText(message, 6);
    case 'k8s.meta.FieldsV1':
      return fieldsV1(message);
    case 'k8s.api.ExtraValue':
      return listField(message, 'items');
    default:
      return objectOf(message);
  }
}

function objectOf(message: ReflectMessage): Json {
  const members: [string, Json][] = [];
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const value = fieldJson(message, field);
    if (value !== undefined) members.push([field.jsonName, value]);
  }
  return Object.fromEntries(members);
}

function fieldJson(message: ReflectMessage, field: DescField): Json | undefined {
  switch (field.fieldKind) {
    case 'list':
      return [...message.get(field)].map((item) => valueJson(item) ?? null);
    case 'map':
      return Object.fromEntries([...message.get(field)].map(([key, value]) => [String(key), valueJson(value) ?? null]));
    default: {
      const value = valueJson(message.get(field));
      if (value === '' || (value === 0 && ZERO_IS_ABSENT.has(field.name))) return undefined;
      return value;
    }
  }
}

function valueJson(value: unknown): Json | undefined {
  if (isReflectMessage(value)) return messageToJson(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'bigint') return BigInt.asIntN(53, value) === value ? Number(value) : value;
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  throw new UnreadableField(`a ${typeof value} cannot be shown as JSON`);
}

function listField(message: ReflectMessage, name: string): Json {
  const field = message.findNumber(1);
  if (field?.fieldKind !== 'list') throw new UnreadableField(`${name} is not a list`);
  return [...message.get(field)].map((item) => valueJson(item) ?? null);
}

/** Seconds and nanoseconds as RFC 3339 in UTC; both zero means that there is no time. */
function timeText(message: ReflectMessage, fractionDigits: 0 | 6): string | undefined {
  const [secondsField, nanosField] = message.fields;
  const seconds = Number(secondsField === undefined ? 0 : message.get(secondsField));
  const nanos = Number(nanosField === undefined ? 0 : message.get(nanosField));
  if (seconds === 0 && nanos === 0) return undefined;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || nanos < 0 || nanos > 999_999_999)
    throw new UnreadableField('a time is out of range');
  const whole = date.toISOString().replace(/\.\d+Z$/, '');
  const fraction = fractionDigits === 0 ? '' : `.${String(Math.trunc(nanos / 1000)).padStart(fractionDigits, '0')}`;
  return `${whole}${fraction}Z`;
}

function fieldsV1(message: ReflectMessage): Json {
  const [raw] = message.fields;
  const bytes: unknown = raw === undefined ? undefined : message.get(raw);
  if (!(bytes instanceof Uint8Array) || bytes.byteLength === 0) return {};
  return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
}
