import type { Json, JsonObject } from './json.ts';
import type { KubeObject } from './object.ts';
import type { Infer, Schema, Typed } from './schema.ts';

/** A printer column: `path` is a Kubernetes JSONPath below the object (`.status.phase`). */
export interface Column {
  readonly name: string;
  readonly path: string;
  readonly of: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** Shown only with `-o wide` (priority 1). */
  readonly wide?: boolean;
  readonly description?: string;
}

/** One refusal of an object: where, why, and the reason of the Kubernetes Status cause. */
export interface FieldProblem {
  /** `spec.configPatches.0.op` */
  readonly field: string;
  readonly reason:
    | 'FieldValueInvalid'
    | 'FieldValueRequired'
    | 'FieldValueNotSupported'
    | 'FieldValueForbidden'
    | 'FieldValueDuplicate'
    | 'FieldValueTypeInvalid'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany';
  /** As Kubernetes prints it behind the field: `Invalid value: "x": why`. */
  readonly message: string;
}

/** What an admission check says: problems refuse the object, warnings travel with the answer. */
export interface Admission {
  readonly problems: readonly FieldProblem[];
  readonly warnings?: readonly string[];
  /** Refuse with HTTP 400 and exactly this message instead of 422 with the problems. */
  readonly badRequest?: string;
}

/** Names a kind at a version, without its schema: enough to address it in the API. */
export interface KindRef<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: 'Cluster' | 'Namespaced';
  /** Type only, never present at run time. */
  readonly object?: T;
}

/** A kind at one version, as data: API server, CLI, console, CRD files and docs all read this. */
export interface KindDefinition<T extends KubeObject = KubeObject> extends KindRef<T> {
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** True for the version that is stored: exactly one per kind. */
  readonly storage: boolean;
  /** Clients that name no version get this one, though a newer one is served. */
  readonly preferred?: boolean;
  /** Root schema with `spec`, `status` and further top-level properties; metadata and type are implied. */
  readonly schema: Schema;
  /** Columns between NAME and the end; include Age where wanted. */
  readonly columns: readonly Column[];
  /** Whether `/status` is a subresource of its own. */
  readonly statusSubresource: boolean;
  readonly scale?: {
    readonly specReplicasPath: string;
    readonly statusReplicasPath: string;
    readonly labelSelectorPath?: string;
  };
  /** JSONPaths that may be used in field selectors. */
  readonly selectableFields: readonly string[];
  /** Labels of the CRD object itself. */
  readonly crdLabels: Readonly<Record<string, string>>;
  /** The version is deprecated: what callers are warned of. */
  readonly deprecation?: string;
  /** Defaults that the schema cannot express. `old` is present where an update is defaulted. Pure. */
  readonly defaults?: (object: JsonObject, old?: JsonObject) => JsonObject;
  /** Checks beyond the schema. `old` is present on updates. Pure. */
  readonly admit?: (object: JsonObject, old: JsonObject | undefined) => Admission;
  /** To and from the stored version; absent when this is the stored version or the shapes are equal. Lossless. */
  readonly convert?: {
    readonly toStorage: (object: JsonObject) => JsonObject;
    readonly fromStorage: (object: JsonObject) => JsonObject;
  };
}

/** What a kind's author writes; the rest has defaults. */
export interface KindSource<P extends { readonly [name: string]: Typed<unknown> }> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: 'Cluster' | 'Namespaced';
  /** Top-level properties beside metadata: usually `spec` and `status`. */
  readonly properties: P;
  readonly description: string;
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storage?: boolean;
  readonly preferred?: boolean;
  readonly columns?: readonly Column[];
  readonly statusSubresource?: boolean;
  readonly scale?: NonNullable<KindDefinition['scale']>;
  readonly selectableFields?: readonly string[];
  readonly crdLabels?: Readonly<Record<string, string>>;
  readonly defaults?: NonNullable<KindDefinition['defaults']>;
  readonly admit?: NonNullable<KindDefinition['admit']>;
  readonly convert?: NonNullable<KindDefinition['convert']>;
}

/** The object type of a kind with these top-level properties. */
export type ObjectOfKind<P extends { readonly [name: string]: Typed<unknown> }> = KubeObject & {
  readonly [K in keyof P]?: Infer<P[K]>;
};

/** The object type behind a KindRef or KindDefinition. */
export type ObjectOf<K> = K extends KindRef<infer T> ? T : never;

/** Make a kind out of its parts. */
export function defineKind<const P extends { readonly [name: string]: Typed<unknown> }>(
  source: KindSource<P>,
): KindDefinition<ObjectOfKind<P>> {
  const { properties, description, ...rest } = source;
  return {
    singular: source.kind.toLowerCase(),
    listKind: `${source.kind}List`,
    shortNames: [],
    categories: [],
    storage: true,
    columns: [],
    statusSubresource: 'status' in properties,
    selectableFields: [],
    crdLabels: {},
    ...withoutUndefined(rest),
    schema: { type: 'object', description, properties: properties as { readonly [name: string]: Schema } },
  };
}

/** `group/version`, or `version` for the core group. */
export function apiVersionOf(kind: Pick<KindRef, 'group' | 'version'>): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

/** Narrow an unknown value to a JSON object. */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
