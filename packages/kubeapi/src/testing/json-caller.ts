import assert from 'node:assert/strict';
import { isJsonObject, type Json, type JsonObject, parseJson } from '@bloomery/model';
import type { TestApi } from './test-api.ts';

/** An answer with its JSON body; {} for a body that is no JSON object. */
export interface JsonAnswer {
  readonly code: number;
  readonly body: JsonObject;
}

/** Calls of an API with JSON bodies, as an administrator. */
export type JsonCaller = (method: string, path: string, body?: Json, contentType?: string) => Promise<JsonAnswer>;

/** Make the caller of a test API. */
export function jsonCaller(api: TestApi): JsonCaller {
  return async (method, path, body, contentType = 'application/json') => {
    const headers = { 'user-agent': 'test/1', 'content-type': contentType };
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await api.call({ method, path, headers, body: text });
    const parsed = /^\s*\{/.test(answer.body) ? parseJson(answer.body) : {};
    return { code: answer.code, body: isJsonObject(parsed) ? parsed : {} };
  };
}

/** A part of an answer by its names; undefined where there is none. */
export function part(value: Json | undefined, ...names: readonly string[]): Json | undefined {
  return names.reduce<Json | undefined>((inner, name) => (isJsonObject(inner) ? inner[name] : undefined), value);
}

/** The text at a place that must hold one. */
export function textAt(value: Json | undefined, ...names: readonly string[]): string {
  const found = part(value, ...names);
  assert.ok(typeof found === 'string', `no text at ${names.join('.')} of ${JSON.stringify(value)}`);
  return found;
}

/** A CustomResourceDefinition with one open version v1 unless more is given. */
export function crdFor(
  group: string,
  plural: string,
  kind: string,
  more: { readonly scope?: 'Cluster' | 'Namespaced'; readonly versions?: readonly JsonObject[] } = {},
): JsonObject {
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      ...(group.endsWith('.k8s.io') ? { annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } } : {}),
    },
    spec: {
      group,
      scope: more.scope ?? 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: more.versions ?? [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}
