import {
  type Admission,
  type FieldProblem,
  isJsonObject,
  type Json,
  type JsonObject,
  jsonEqual,
} from '@bloomery/model';
import { forbidden, invalid, required } from '../schema/index.ts';

/** ConfigMaps and Secrets hold at most this much data. */
export const MAX_DATA_BYTES = 1024 * 1024;

const KEY = /^[-._a-zA-Z0-9]+$/;
const KEY_RULE =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/** The object without empty data maps: Kubernetes does not tell an empty one from none. */
export function withoutEmptyData(object: JsonObject): JsonObject {
  const isEmptyMap = (value: Json | undefined): boolean => isJsonObject(value) && Object.keys(value).length === 0;
  const members = Object.entries(object);
  const kept = members.filter(([name, value]) => !DATA_MEMBERS.has(name) || !isEmptyMap(value));
  return kept.length === members.length ? object : Object.fromEntries(kept);
}

const DATA_MEMBERS: ReadonlySet<string> = new Set(['data', 'binaryData', 'stringData']);

/** What a ConfigMap must hold to beyond its schema. */
export function admitConfigMap(object: JsonObject, old: JsonObject | undefined): Admission {
  const { data, binaryData } = object;
  const twice = membersOf(data).filter(([key]) => isJsonObject(binaryData) && Object.hasOwn(binaryData, key));
  const bytes = textBytes(data) + base64Bytes(binaryData);
  return {
    problems: [
      ...keyProblems('data', data),
      ...keyProblems('binaryData', binaryData),
      ...twice.map(([key]) => invalid(`data[${key}]`, key, 'duplicate of key present in binaryData')),
      // Upstream's path of no field prints like this.
      ...(bytes > MAX_DATA_BYTES ? [tooMuch('[]')] : []),
      ...immutableProblems(object, old, ['data', 'binaryData']),
    ],
  };
}

/** What a Secret must hold to beyond its schema. */
export function admitSecret(object: JsonObject, old: JsonObject | undefined): Admission {
  const { data, type } = object;
  const keys = REQUIRED_KEYS[typeof type === 'string' ? type : ''] ?? [];
  const missing = keys.filter((key) => !isJsonObject(data) || !Object.hasOwn(data, key));
  const retyped = old !== undefined && !jsonEqual(old['type'], type);
  return {
    problems: [
      ...keyProblems('data', data),
      ...(base64Bytes(data) > MAX_DATA_BYTES ? [tooMuch('data')] : []),
      ...missing.map((key) => required(`data[${key}]`)),
      ...(type === 'kubernetes.io/basic-auth' ? basicAuthProblems(data) : []),
      ...(type === 'kubernetes.io/dockerconfigjson' ? jsonProblems('.dockerconfigjson', data) : []),
      ...(type === 'kubernetes.io/dockercfg' ? jsonProblems('.dockercfg', data) : []),
      ...(type === ACCOUNT_TOKEN && accountNameOf(object) === ''
        ? [required(`metadata.annotations[${ACCOUNT_NAME}]`)]
        : []),
      ...(retyped ? [invalid('type', type ?? '', 'field is immutable')] : []),
      ...immutableProblems(object, old, ['data']),
    ],
  };
}

const ACCOUNT_TOKEN = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';

function accountNameOf({ metadata }: JsonObject): Json {
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  return isJsonObject(annotations) ? (annotations[ACCOUNT_NAME] ?? '') : '';
}

/** Keys that a Secret of a well-known type must have. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

function basicAuthProblems(data: Json | undefined): readonly FieldProblem[] {
  const keys = ['username', 'password'];
  const has = keys.some((key) => isJsonObject(data) && Object.hasOwn(data, key));
  return has ? [] : keys.map((key) => required(`data[${key}]`));
}

function jsonProblems(key: string, data: Json | undefined): readonly FieldProblem[] {
  const value = isJsonObject(data) ? data[key] : undefined;
  if (typeof value !== 'string') return [];
  try {
    JSON.parse(Buffer.from(value, 'base64').toString());
    return [];
  } catch {
    return [invalid(`data[${key}]`, '<secret contents redacted>', 'no JSON')];
  }
}

function membersOf(value: Json | undefined): readonly (readonly [string, Json | undefined])[] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

function keyProblems(field: string, data: Json | undefined): readonly FieldProblem[] {
  return membersOf(data).flatMap(([key]) => {
    if (key.length > 253) return [invalid(`${field}[${key}]`, key, 'must be no more than 253 characters')];
    if (key === '.' || key === '..') return [invalid(`${field}[${key}]`, key, `must not be '${key}'`)];
    if (key.startsWith('..')) return [invalid(`${field}[${key}]`, key, "must not start with '..'")];
    return KEY.test(key) ? [] : [invalid(`${field}[${key}]`, key, KEY_RULE)];
  });
}

function textBytes(data: Json | undefined): number {
  return membersOf(data).reduce((sum, [, value]) => sum + Buffer.byteLength(String(value)), 0);
}

function base64Bytes(data: Json | undefined): number {
  return membersOf(data).reduce((sum, [, value]) => sum + Buffer.byteLength(String(value), 'base64'), 0);
}

function tooMuch(field: string): FieldProblem {
  const message = `Too long: may not be more than ${MAX_DATA_BYTES} bytes`;
  return { field, reason: 'FieldValueTooLong', message };
}

function immutableProblems(
  object: JsonObject,
  old: JsonObject | undefined,
  fields: readonly string[],
): readonly FieldProblem[] {
  if (old?.['immutable'] !== true) return [];
  const why = 'field is immutable when `immutable` is set';
  return [
    ...(object['immutable'] === true ? [] : [forbidden('immutable', why)]),
    ...fields.filter((field) => !jsonEqual(old[field], object[field])).map((field) => forbidden(field, why)),
  ];
}
