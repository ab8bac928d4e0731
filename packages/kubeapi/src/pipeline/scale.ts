import { apiError } from '@bloomery/kube';
import { isJsonObject, type Json, type JsonObject, type KindDefinition } from '@bloomery/model';
import { type ApiObject, asApiObject } from '../api-object.ts';
import type { Resource } from '../registry/resource.ts';
import { invalid } from '../schema/index.ts';
import { badRequest, conflict, invalidObject } from './api-status.ts';

type ScalePaths = NonNullable<KindDefinition['scale']>;

/** The autoscaling/v1 Scale that an object shows. */
export function scaleOf(object: ApiObject, paths: ScalePaths): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector =
    paths.labelSelectorPath === undefined ? undefined : selectorText(at(object, paths.labelSelectorPath));
  const replicas = at(object, paths.specReplicasPath) ?? 0;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    // None is written as nothing, as Go does it.
    spec: replicas === 0 ? {} : { replicas },
    status: { replicas: at(object, paths.statusReplicasPath) ?? 0, ...(selector === undefined ? {} : { selector }) },
  };
}

/** The Scale that a read answers. @throws 500 when a custom resource has no replicas to show. */
export function shownScale({ rules }: Resource, object: ApiObject, paths: ScalePaths): JsonObject {
  if (rules.builtin || at(object, paths.specReplicasPath) !== undefined) return scaleOf(object, paths);
  const why = `the spec replicas field ${JSON.stringify(paths.specReplicasPath)} does not exist`;
  throw apiError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${why}`,
    details: { causes: [{ message: why }] },
  });
}

/**
 * The wanted replicas out of a Scale body, which must be meant for the present state of this object. Negative ones of a custom
 * resource are left to its schema.
 *
 * @throws 400 when there is no whole number or for another object, 409 for another state, 422 for a negative number.
 */
export function readScale(resource: Resource, present: ApiObject, body: Json): number {
  const { name } = present.metadata;
  const { apiVersion = 'autoscaling/v1', kind = 'Scale' } = isJsonObject(body) ? body : {};
  if (apiVersion !== 'autoscaling/v1' || kind !== 'Scale')
    throw badRequest('no kind is registered for the type v1.Scale in scheme "pkg/runtime/scheme.go:110"');
  checkTarget(resource, present, isJsonObject(body) ? body['metadata'] : undefined);
  const spec = isJsonObject(body) ? body['spec'] : undefined;
  const replicas = isJsonObject(spec) ? (spec['replicas'] ?? 0) : 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw badRequest('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be a whole number');
  }
  if (replicas < 0 && resource.rules.builtin) {
    throw invalidObject({ group: 'autoscaling', kind: 'Scale' }, name, [
      invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  return replicas;
}

function checkTarget(resource: Resource, { metadata }: ApiObject, given: Json | undefined): void {
  const { name = metadata.name, resourceVersion = '', uid = '' } = isJsonObject(given) ? given : {};
  if (name !== metadata.name && name !== '')
    throw badRequest(`the name of the object (${String(name)}) does not match the name on the URL (${metadata.name})`);
  if (resourceVersion !== '' && resourceVersion !== metadata.resourceVersion) throw conflict(resource, metadata.name);
  if (uid === '' || uid === metadata.uid) return;
  const why = `Precondition failed: UID in precondition: ${String(uid)}, UID in object meta: ${metadata.uid}`;
  throw conflict(resource, metadata.name, why);
}

/** The object with other replicas. */
export function writeScale(object: ApiObject, paths: ScalePaths, replicas: number): ApiObject {
  return asApiObject(setAt(object, names(paths.specReplicasPath), replicas));
}

/** A selector as text; one that is an object (of Kubernetes' own kinds) is printed. */
function selectorText(value: Json | undefined): Json | undefined {
  if (!isJsonObject(value)) return value;
  const isPlain = !isJsonObject(value['matchLabels']) && !Array.isArray(value['matchExpressions']);
  const labels = isPlain ? value : isJsonObject(value['matchLabels']) ? value['matchLabels'] : {};
  const expressions = Array.isArray(value['matchExpressions']) ? value['matchExpressions'] : [];
  const terms = [
    ...Object.entries(labels).map(([key, text]) => ({ key, text: `${key}=${String(text)}` })),
    ...expressions.filter(isJsonObject).map((one) => ({ key: String(one['key'] ?? ''), text: expressionText(one) })),
  ];
  return terms
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',');
}

function expressionText({ key, operator, values }: JsonObject): string {
  const listed = Array.isArray(values) ? `(${values.map(String).sort().join(',')})` : '()';
  switch (operator) {
    case 'In':
      return `${String(key)} in ${listed}`;
    case 'NotIn':
      return `${String(key)} notin ${listed}`;
    case 'DoesNotExist':
      return `!${String(key)}`;
    default:
      return String(key);
  }
}

function names(path: string): readonly string[] {
  return path.split('.').filter((part) => part !== '');
}

function at(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object;
  for (const name of names(path)) value = isJsonObject(value) ? value[name] : undefined;
  return value;
}

function setAt(object: JsonObject, [name, ...rest]: readonly string[], value: Json): JsonObject {
  if (name === undefined) return object;
  const inner = object[name];
  return { ...object, [name]: rest.length === 0 ? value : setAt(isJsonObject(inner) ? inner : {}, rest, value) };
}
