import { ACCESS_MESSAGES } from './messages/access-messages.ts';
import { CORE_MESSAGES } from './messages/core-messages.ts';
import { EXTENSIONS_MESSAGES } from './messages/extensions-messages.ts';
import { NETWORK_MESSAGES } from './messages/network-messages.ts';
import { SHARED_MESSAGES } from './messages/shared-messages.ts';
import { WORKLOADS_MESSAGES } from './messages/workloads-messages.ts';

/** What a field holds: one value, or many of them. */
export type FieldShape =
  | { readonly of: 'scalar'; readonly scalar: Scalar }
  | { readonly of: 'message'; readonly name: string }
  | { readonly of: 'list' | 'map'; readonly element: FieldShape };

/** Values that are no messages of the table. */
export type Scalar =
  | 'string'
  | 'int32'
  | 'int64'
  | 'bool'
  | 'double'
  | 'bytes'
  | 'time'
  | 'microTime'
  | 'quantity'
  | 'intOrString'
  | 'raw'
  | 'json'
  | 'fieldsV1'
  | 'texts'
  | 'schemaOrBool'
  | 'schemaOrList'
  | 'schemaOrTexts'
  | 'metadata';

/** One field of a message: its protobuf number, its JSON name and how lists and maps in it are merged. */
export interface MessageField {
  /** JSON name; '' when the members of its message stand in the outer object. */
  readonly name: string;
  readonly number: number;
  readonly shape: FieldShape;
  /** Go clients send it even when it is zero or empty. */
  readonly always: boolean;
  /** The published schema requires it. */
  readonly required: boolean;
  /** Set or not set are told apart: a zero that is set is shown. */
  readonly pointer: boolean;
  /** Replaced as a whole by server-side apply. */
  readonly atomic: boolean;
  /** Strategic merge: strategies and the merge key. */
  readonly patch: { readonly strategy: string; readonly key: string } | undefined;
  /** Keys of a list that is a map; `[]` for a set; undefined for an atomic list. */
  readonly listKeys: readonly string[] | undefined;
  readonly default: string | undefined;
}

/** A structure of Kubernetes' own kinds. */
export interface Message {
  /** `core.Pod` */
  readonly name: string;
  readonly atomic: boolean;
  readonly fields: readonly MessageField[];
}

/**
 * One message a line (indented lines go on): `Name field=number:type…`. A `%` behind the name: merged as a whole.
 *
 * Types: `s` string, `i` int32, `l` int64, `b` bool, `d` double, `y` bytes, `T` Time, `U` MicroTime, `Q` Quantity,
 * `X` IntOrString, `R` RawExtension, `J` JSON, `F` FieldsV1, `E` ExtraValue, `O` ObjectMeta, `[t]` list, `{t}` map, else a
 * message of the same or of a named group (`core.Pod`). A field named `~` has its members in the outer object.
 *
 * Behind the type: `!` required and always sent, `?` always sent, `+` required, `*` pointer, `%` atomic,
 * `<key>` strategic merge by that key (`<>` by value, `!` retains keys, `-` does not merge, alone it replaces), `(a,b)` keys of a list map,
 * `(=)` a set, `"text"` default.
 */
const TABLES: { readonly [group: string]: string } = {
  ...CORE_MESSAGES,
  ...SHARED_MESSAGES,
  ...ACCESS_MESSAGES,
  ...WORKLOADS_MESSAGES,
  ...EXTENSIONS_MESSAGES,
  ...NETWORK_MESSAGES,
};

const SCALARS: { readonly [code: string]: Scalar } = {
  s: 'string',
  i: 'int32',
  l: 'int64',
  b: 'bool',
  d: 'double',
  y: 'bytes',
  T: 'time',
  U: 'microTime',
  Q: 'quantity',
  X: 'intOrString',
  R: 'raw',
  J: 'json',
  F: 'fieldsV1',
  E: 'texts',
  O: 'metadata',
  JSONSchemaPropsOrBool: 'schemaOrBool',
  JSONSchemaPropsOrArray: 'schemaOrList',
  JSONSchemaPropsOrStringArray: 'schemaOrTexts',
};

const lines = new Map<string, ReadonlyMap<string, string>>();
const messages = new Map<string, Message>();

/** A message by its name (`core.Pod`); read from the table when it is first asked for. @throws RangeError for others. */
export function messageOf(name: string): Message {
  const known = messages.get(name);
  if (known !== undefined) return known;
  const dot = name.indexOf('.');
  const group = name.slice(0, dot);
  const line = linesOf(group).get(name.slice(dot + 1));
  if (line === undefined) throw new RangeError(`there is no message ${name}`);
  const [head = '', ...fields] = line.split(/\s+/);
  const message: Message = { name, atomic: head.endsWith('%'), fields: fields.map((text) => fieldOf(text, group)) };
  messages.set(name, message);
  return message;
}

/** Whether the table has a message of this name. */
export function hasMessage(name: string): boolean {
  const dot = name.indexOf('.');
  return linesOf(name.slice(0, dot)).has(name.slice(dot + 1));
}

function linesOf(group: string): ReadonlyMap<string, string> {
  let known = lines.get(group);
  if (known === undefined) {
    const whole = (TABLES[group] ?? '').trim().replaceAll(/\n\s+/g, ' ');
    known = new Map(whole.split('\n').map((line) => [/^\w+/.exec(line)?.[0] ?? '', line]));
    lines.set(group, known);
  }
  return known;
}

const FIELD = /^([^=]+)=(\d+):([^!?+*%<("]+)([!?+]?)(\*?)(%?)(?:<([!-]*)(\w*)>)?(?:\(([^)]*)\))?(?:"(.*)")?$/;

function fieldOf(text: string, group: string): MessageField {
  const match = FIELD.exec(text);
  if (match === null) throw new RangeError(`no field of a message: ${text}`);
  const [, name = '', number, type = '', need, pointer, atomic, how, key, keys, preset] = match;
  return {
    name: name === '~' ? '' : name,
    number: Number(number),
    shape: shapeOf(type, group),
    always: need === '!' || need === '?',
    required: need === '!' || need === '+',
    pointer: pointer === '*',
    atomic: atomic === '%',
    patch: how === undefined ? undefined : { strategy: strategyOf(how), key: key ?? '' },
    listKeys: keys === undefined ? undefined : keys === '=' ? [] : keys.split(','),
    default: preset,
  };
}

function strategyOf(how: string): string {
  if (how === '-') return 'replace';
  return [...(how.includes('-') ? [] : ['merge']), ...(how.includes('!') ? ['retainKeys'] : [])].join(',');
}

function shapeOf(type: string, group: string): FieldShape {
  if (type.startsWith('[')) return { of: 'list', element: shapeOf(type.slice(1, -1), group) };
  if (type.startsWith('{')) return { of: 'map', element: shapeOf(type.slice(1, -1), group) };
  const scalar = SCALARS[type];
  if (scalar !== undefined) return { of: 'scalar', scalar };
  return { of: 'message', name: type.includes('.') ? type : `${group}.${type}` };
}
