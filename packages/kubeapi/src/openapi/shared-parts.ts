import { isJsonObject, type Json, type JsonObject, type Schema } from '@bloomery/model';
import { messageNameOf, messageSchema } from '../builtin/message-schema.ts';

const PACKAGES: { readonly [group: string]: string } = {
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  apiregistration: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  autoscaling: 'io.k8s.api.autoscaling.v2',
  autoscaling1: 'io.k8s.api.autoscaling.v1',
  meta: 'io.k8s.apimachinery.pkg.apis.meta.v1',
};

/** The name of the published schema of a message: `io.k8s.api.core.v1.PodSpec`. */
function messageSchemaName(message: string): string {
  const [group = '', name = ''] = message.split('.');
  return `${PACKAGES[group] ?? `io.k8s.api.${group}.v1`}.${name}`;
}

/**
 * Writes schemas so that what several of them share stands in the document once: a pod's spec is part of seven kinds.
 */
export interface SharedParts {
  /** The schema with references in place of the parts that have a name. */
  readonly referring: (schema: Schema) => JsonObject;
  /** The schemas that were referred to, by name, and those that they refer to. */
  readonly named: () => readonly (readonly [name: string, schema: JsonObject])[];
}

/** Start a document. `ref` makes a reference to a named schema. */
export function createSharedParts(ref: (name: string) => JsonObject): SharedParts {
  const done = new Map<string, JsonObject>();
  const waiting: string[] = [];
  const known = new Set<string>();

  function child(schema: Schema): JsonObject {
    const message = messageNameOf(schema);
    if (message === undefined) return referring(schema);
    if (!known.has(message)) {
      known.add(message);
      if (message !== 'meta.ObjectMeta') waiting.push(message);
    }
    const { description, default: preset } = schema;
    return {
      allOf: [ref(messageSchemaName(message))],
      ...(description === undefined ? {} : { description }),
      ...(preset === undefined ? {} : { default: preset }),
      ...extensionsOf(schema),
    };
  }

  function referring(schema: Schema): JsonObject {
    const { properties, items, additionalProperties, ...rest } = schema;
    return {
      ...(rest as JsonObject),
      ...(properties === undefined ? {} : { properties: each(properties) }),
      ...(items === undefined ? {} : { items: child(items) }),
      ...(additionalProperties === undefined
        ? {}
        : {
            additionalProperties:
              typeof additionalProperties === 'object' ? child(additionalProperties) : additionalProperties,
          }),
    };
  }

  function each(properties: NonNullable<Schema['properties']>): JsonObject {
    return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, child(schema)]));
  }

  return {
    referring,
    named() {
      for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
        done.set(messageSchemaName(message), referring(messageSchema(message)));
      }
      return [...done];
    },
  };
}

/** How a field is merged is said beside the reference, as it is no part of what is referred to. */
function extensionsOf(schema: Schema): JsonObject {
  const members: readonly (readonly [string, Json | undefined])[] = Object.entries(schema as JsonObject);
  const kept = members.filter(([name, value]) => name.startsWith('x-kubernetes-patch-') && value !== undefined);
  return Object.fromEntries(kept);
}

/** A schema that is nothing but a reference with remarks; undefined for others. */
export function referenceOf(schema: JsonObject): JsonObject | undefined {
  const { allOf } = schema;
  const first: Json | undefined = Array.isArray(allOf) ? allOf[0] : undefined;
  return isJsonObject(first) && Object.hasOwn(first, '$ref') ? first : undefined;
}
