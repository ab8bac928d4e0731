import { type Admission, apiVersionOf, type JsonObject, type KindDefinition, type Schema } from '@bloomery/model';
import { messageOfKind } from './message-of-kind.ts';
import { kindSchema } from './message-schema.ts';

/** What is said of a built-in kind; its schema comes from the table of messages. */
export interface BuiltinKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope?: 'Cluster';
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly description: string;
  /** `/status` is a subresource. */
  readonly status?: true;
  /** `spec.replicas` can be read and written through `/scale`; the path of the selector in the status. */
  readonly scale?: NonNullable<KindDefinition['scale']>;
  /** `metadata.generation` is kept. */
  readonly generation?: true;
  readonly fields?: readonly string[];
  readonly defaults?: (object: JsonObject) => JsonObject;
  readonly admit?: (object: JsonObject, old: JsonObject | undefined) => Admission;
  readonly convert?: NonNullable<KindDefinition['convert']>;
}

/**
 * Make the definition of a built-in kind. Its schema is made when somebody first asks for it: most are never asked for.
 *
 * @throws RangeError when the table has no message of this kind.
 */
export function builtinKind(source: BuiltinKind): KindDefinition {
  const { group, version, kind, plural, defaults, admit, convert, scale } = source;
  const message = messageOfKind(apiVersionOf(source), kind);
  if (message === undefined) throw new RangeError(`there is no message of ${kind}`);
  let made: Schema | undefined;
  return {
    group,
    version,
    kind,
    plural,
    scope: source.scope ?? 'Namespaced',
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames: source.shortNames ?? [],
    categories: source.categories ?? [],
    storage: true,
    get schema() {
      made ??= kindSchema(message, source.description);
      return made;
    },
    columns: [],
    statusSubresource: source.status === true,
    ...(scale === undefined ? {} : { scale }),
    selectableFields: source.fields ?? [],
    crdLabels: {},
    ...(defaults === undefined ? {} : { defaults }),
    ...(admit === undefined ? {} : { admit }),
    ...(convert === undefined ? {} : { convert }),
  };
}
