import { type Fields, type SpecOfFields, zeroOf } from './spec/field.ts';
import { tableCodec } from './spec/table-codec.ts';

/** How a spec is compared and shown. */
export interface SpecCodec<S> {
  // Methods, so that a definition of any spec is a ResourceDefinition.
  equal(a: S, b: S): boolean;
  /** One YAML document without a head. */
  toYaml(spec: S): string;
  toProtobuf(spec: S): Uint8Array;
}

/** What is said of a type once, for its storage, the API and `talosctl get`. */
export interface ResourceDefinition<S = unknown> {
  /** CamelCase plural and suffix: `LinkStatuses.net.talos.dev`. */
  readonly type: string;
  /** Where it stands unless said otherwise. */
  readonly namespace: string;
  /** Further names for `talosctl get`, beside those that follow from the type. */
  readonly aliases: readonly string[];
  /** Names that lead to it without being told with it: each is listed as a definition of its own. */
  readonly synonyms?: readonly string[];
  /** Name and JSONPath of each column. */
  readonly columns: readonly (readonly [name: string, jsonPath: string])[];
  /** Only for administrators. */
  readonly sensitive: boolean;
  /** Events that are kept, where specs are so large that the state's own bound would be dear. */
  readonly historyMax?: number;
  readonly codec: SpecCodec<S>;
}

/** A definition whose spec is a table of fields. */
export interface TableDefinition<F extends Fields = Fields> extends ResourceDefinition<SpecOfFields<F>> {
  readonly fields: F;
  /** A spec with these values and zero for the rest. */
  readonly make: (values?: Partial<SpecOfFields<F>>) => SpecOfFields<F>;
}

/** The spec of resources of this definition. */
export type SpecOf<D> = D extends ResourceDefinition<infer S> ? S : never;

export interface DefineResource<F extends Fields> {
  readonly type: string;
  readonly namespace: string;
  readonly aliases?: readonly string[];
  readonly synonyms?: readonly string[];
  readonly columns?: readonly (readonly [name: string, jsonPath: string])[];
  readonly sensitive?: boolean;
  readonly spec: F;
}

/** Define a type by its table of fields. */
export function defineResource<const F extends Fields>(definition: DefineResource<F>): TableDefinition<F> {
  const { type, namespace, aliases = [], synonyms = [], columns = [], sensitive = false, spec } = definition;
  const zero = zeroOf(spec);
  return {
    type,
    namespace,
    aliases,
    synonyms,
    columns,
    sensitive,
    fields: spec,
    codec: tableCodec(spec),
    make: (values = {}) => ({ ...zero, ...values }),
  };
}
