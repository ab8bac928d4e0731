import table from './machine-config-types.json' with { type: 'json' };

/** How lists of this type are merged: elements with the same key are merged, others appended. */
export type KeyedList = 'interfaces' | 'vlans' | 'admissionPlugins' | 'configFiles' | 'verificationRules';

export type ScalarKind = 'string' | 'bool' | 'int' | 'uint' | 'duration';

/** What a place in a machine configuration holds. Read from machine-config-types.json. */
export type Shape =
  | { readonly is: 'scalar'; readonly of: ScalarKind; readonly bits: number }
  | { readonly is: 'custom'; readonly name: string }
  | { readonly is: 'struct'; readonly name: string }
  | { readonly is: 'pointer'; readonly of: Shape }
  /** `lone`: a mapping stands for a list of one. */
  | { readonly is: 'list'; readonly of: Shape; readonly keyed?: KeyedList; readonly lone?: boolean }
  | { readonly is: 'map'; readonly of: Shape; readonly replaceValues: boolean }
  /** Anything; `object` is true where it has to be a mapping. */
  | { readonly is: 'free'; readonly object: boolean };

/** One field of a struct, in encoding order. */
export interface Field {
  readonly name: string;
  readonly shape: Shape;
  readonly omitEmpty: boolean;
  /** The patch takes the place of the value instead of being merged into it. */
  readonly replace: boolean;
}

/** A kind of configuration document. `kind` is '' for the legacy document with `machine` and `cluster`. */
export interface DocumentKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Told apart by `name` too. */
  readonly named: boolean;
  readonly shape: Shape;
}

/** What a table is extended by. Type expressions are those of machine-config-types.json. */
export interface TypeExtensions {
  /** Further fields of structs, and further structs. */
  readonly fields: { readonly [struct: string]: readonly FieldRow[] };
  /** Further kinds of documents; `type` names their struct. */
  readonly documents: readonly DocumentRow[];
}

/** What structs and documents there are. */
export interface TypeTable {
  /** One field of a struct by its YAML name. */
  readonly fieldNamed: (structName: string, name: string) => Field | undefined;
  /** The kind of document with this apiVersion and kind; '' and '' address the legacy document. */
  readonly documentKind: (apiVersion: string, kind: string) => DocumentKind | undefined;
}

interface DocumentRow {
  readonly apiVersion: string;
  readonly kind: string;
  readonly named: boolean;
  readonly type: string;
}

interface FieldRow {
  readonly type: string;
  readonly yaml?: string;
  readonly omitempty?: boolean;
  readonly inline?: boolean;
  readonly merge?: string;
}
type TypeRow = { readonly fields?: readonly FieldRow[]; readonly custom?: boolean; readonly goKind?: string };

const TYPES: { readonly [name: string]: TypeRow } = table.types;
const KEYED: { readonly [name: string]: KeyedList } = {
  'v1alpha1.NetworkDeviceList': 'interfaces',
  'v1alpha1.VlanList': 'vlans',
  'v1alpha1.AdmissionPluginConfigList': 'admissionPlugins',
  'extensions.ConfigFileList': 'configFiles',
  'security.ImageVerificationRules': 'verificationRules',
};
const SCALARS: { readonly [name: string]: Shape } = {
  string: { is: 'scalar', of: 'string', bits: 0 },
  bool: { is: 'scalar', of: 'bool', bits: 1 },
  int: { is: 'scalar', of: 'int', bits: 64 },
  uint: { is: 'scalar', of: 'uint', bits: 64 },
  uint8: { is: 'scalar', of: 'uint', bits: 8 },
  uint16: { is: 'scalar', of: 'uint', bits: 16 },
  uint32: { is: 'scalar', of: 'uint', bits: 32 },
  uint64: { is: 'scalar', of: 'uint', bits: 64 },
};
/** Elements of inlineManifests, which the table names as one custom list. */
const INLINE_MANIFEST_FIELDS: readonly FieldRow[] = [
  { type: 'string', yaml: 'name' },
  { type: 'string', yaml: 'contents' },
];

const shapes = new Map<string, Shape>();
const fields = new Map<string, readonly Field[]>();

/** The shape behind a type expression of the table (`*T`, `[]T`, `map[string]T`, `mergeList<L>[]T`, `custom:X`, a struct's name). */
function shapeOf(expression: string): Shape {
  const known = shapes.get(expression);
  if (known !== undefined) return known;
  const shape = parseShape(expression);
  shapes.set(expression, shape);
  return shape;
}

function parseShape(expression: string): Shape {
  const scalar = SCALARS[expression];
  if (scalar !== undefined) return scalar;
  if (expression === 'int64(time.Duration)') return { is: 'scalar', of: 'duration', bits: 64 };
  if (expression.startsWith('string(')) return shapeOf('string');
  if (expression.startsWith('*')) return { is: 'pointer', of: shapeOf(expression.slice(1)) };
  const merge = /^merge(?:List|Map)<([^>]+)>(.*)$/.exec(expression);
  if (merge?.[1] !== undefined && merge[2] !== undefined) return withMerge(merge[1], shapeOf(merge[2]));
  if (expression.startsWith('[]')) return { is: 'list', of: shapeOf(expression.slice(2)) };
  if (expression.startsWith('lone[]')) return { is: 'list', of: shapeOf(expression.slice(6)), lone: true };
  if (expression === 'map[string]any') return { is: 'free', object: true };
  if (expression.startsWith('map[string]'))
    return { is: 'map', of: shapeOf(expression.slice(11)), replaceValues: false };
  if (expression === 'v1alpha1.Unstructured') return { is: 'free', object: true };
  if (expression === 'custom:v1alpha1.ClusterInlineManifests') {
    return { is: 'list', of: { is: 'struct', name: 'inlineManifest' } };
  }
  if (expression.startsWith('custom:')) return { is: 'custom', name: expression.slice(7) };
  return { is: 'struct', name: expression };
}

function withMerge(rule: string, shape: Shape): Shape {
  if (shape.is === 'map') return { ...shape, replaceValues: true };
  const keyed = KEYED[rule];
  return shape.is === 'list' && keyed !== undefined ? { ...shape, keyed } : shape;
}

/** Fields of a struct in encoding order, inlined ones in their place. Empty for an unknown name. */
export function fieldsOf(structName: string): readonly Field[] {
  const known = fields.get(structName);
  if (known !== undefined) return known;
  const rows = structName === 'inlineManifest' ? INLINE_MANIFEST_FIELDS : (TYPES[structName]?.fields ?? []);
  const found = rows.flatMap(fieldsOfRow);
  fields.set(structName, found);
  return found;
}

function fieldsOfRow(row: FieldRow): readonly Field[] {
  const shape = shapeOf(row.type);
  if (row.inline === true) return shape.is === 'struct' ? fieldsOf(shape.name) : [];
  if (row.yaml === undefined) return [];
  return [{ name: row.yaml, shape, omitEmpty: row.omitempty === true, replace: row.merge === 'replace' }];
}

/** One field of a struct by its YAML name. */
export const fieldNamed = (structName: string, name: string): Field | undefined =>
  fieldsOf(structName).find((field) => field.name === name);

/** Every document kind that Talos 1.13 knows. */
export const DOCUMENT_KINDS: readonly DocumentKind[] = table.documents.map(kindOfRow);

function kindOfRow(row: DocumentRow): DocumentKind {
  return { apiVersion: row.apiVersion, kind: row.kind, named: row.named, shape: shapeOf(row.type) };
}

/** The kind of document with this apiVersion and kind; '' and '' address the legacy document. */
export function documentKind(apiVersion: string, kind: string): DocumentKind | undefined {
  return DOCUMENT_KINDS.find((d) => d.kind === kind && (kind === '' || d.apiVersion === apiVersion));
}

/** What Talos 1.13 knows. */
export const TALOS_TYPES: TypeTable = { fieldNamed, documentKind };

/** What Talos 1.13 knows, and more. A field that is there already is replaced. */
export function extendTypes(extensions: TypeExtensions): TypeTable {
  const added = new Map(Object.entries(extensions.fields).map(([name, rows]) => [name, rows.flatMap(fieldsOfRow)]));
  const kinds = extensions.documents.map(kindOfRow);
  return {
    fieldNamed: (structName, name) =>
      added.get(structName)?.find((field) => field.name === name) ?? fieldNamed(structName, name),
    documentKind: (apiVersion, kind) =>
      kinds.find((known) => known.kind === kind && known.apiVersion === apiVersion) ?? documentKind(apiVersion, kind),
  };
}
