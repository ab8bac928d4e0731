import type { Json, JsonObject } from '@bloomery/model';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { type FieldShape, type MessageField, messageOf } from '../builtin/message-table.ts';
import { readScalar, UnreadableMessage, type Within } from './read-scalar.ts';

/** Messages inside messages. */
const MAX_DEPTH = 100;
/** Messages of one body: an empty one takes two bytes and becomes an object. */
const MAX_MESSAGES = 250_000;

/**
 * Read a Kubernetes protobuf message as the JSON that Go would print of it: bytes become base64, times RFC 3339, what is empty
 * and may be left out is left out. Unknown fields are skipped; of a field that comes twice the last one counts.
 *
 * @param name of the message in the table (`core.Secret`).
 * @throws Error for bytes that are no such message, that nest too deep or that hold too many messages.
 */
export function readMessage(name: string, bytes: Uint8Array): JsonObject {
  let messages = 0;
  const within = (depth: number): Within => ({
    message(inner, part) {
      messages += 1;
      if (depth >= MAX_DEPTH) throw new UnreadableMessage(`messages nest deeper than ${MAX_DEPTH}`);
      if (messages > MAX_MESSAGES) throw new UnreadableMessage(`more than ${MAX_MESSAGES} messages`);
      return readFields(inner, part, within(depth + 1));
    },
  });
  return within(0).message(name, bytes);
}

/** What is read of one message: single values, items of lists, entries of maps. */
interface Found {
  readonly single: Map<MessageField, Json>;
  readonly lists: Map<MessageField, Json[]>;
  readonly maps: Map<MessageField, [string, Json][]>;
}

function readFields(name: string, bytes: Uint8Array, within: Within): JsonObject {
  const reader = new BinaryReader(bytes);
  const fields = fieldsOf(name);
  const found: Found = { single: new Map(), lists: new Map(), maps: new Map() };
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = fields.get(number);
    if (field === undefined) reader.skip(wire, number);
    else readField(field, reader, wire, within, found);
  }
  const members: [string, Json][] = [];
  for (const field of fields.values()) members.push(...membersOf(field, found));
  return Object.fromEntries(members);
}

function readField(field: MessageField, reader: BinaryReader, wire: WireType, within: Within, found: Found): void {
  const { shape } = field;
  if (shape.of === 'map') {
    if (wire !== WireType.LengthDelimited) throw new UnreadableMessage(`${field.name} is no map`);
    entryOf(found.maps, field).push(readEntry(shape.element, reader.bytes(), within));
  } else if (shape.of === 'list') {
    const items = entryOf(found.lists, field);
    if (wire === WireType.LengthDelimited && isVarint(shape.element)) readPacked(shape.element, reader, within, items);
    else items.push(readValue(shape.element, reader, wire, within) ?? null);
  } else {
    const value = readValue(shape, reader, wire, within);
    if (value === undefined) found.single.delete(field);
    else found.single.set(field, value);
  }
}

function readValue(shape: FieldShape, reader: BinaryReader, wire: WireType, within: Within): Json | undefined {
  if (shape.of === 'scalar') return readScalar(shape.scalar, reader, wire, within);
  if (shape.of !== 'message' || wire !== WireType.LengthDelimited) throw new UnreadableMessage('not a message');
  return within.message(shape.name, reader.bytes());
}

function readPacked(shape: FieldShape, reader: BinaryReader, within: Within, items: Json[]): void {
  const inner = new BinaryReader(reader.bytes());
  while (inner.pos < inner.len) items.push(readValue(shape, inner, WireType.Varint, within) ?? null);
}

function isVarint(shape: FieldShape): boolean {
  return shape.of === 'scalar' && (shape.scalar === 'int32' || shape.scalar === 'int64' || shape.scalar === 'bool');
}

/** An entry of a map: the key is field 1, the value field 2; an absent value is an empty one. */
function readEntry(shape: FieldShape, bytes: Uint8Array, within: Within): [string, Json] {
  const reader = new BinaryReader(bytes);
  let key = '';
  let value: Json | undefined;
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === 1 && wire === WireType.LengthDelimited) key = reader.string();
    else if (number === 2) value = readValue(shape, reader, wire, within);
    else reader.skip(wire, number);
  }
  return [key, value ?? (shape.of === 'message' ? {} : '')];
}

function membersOf(field: MessageField, found: Found): readonly [string, Json][] {
  const list = found.lists.get(field);
  if (list !== undefined) return [[field.name, list]];
  const entries = found.maps.get(field);
  if (entries !== undefined) return [[field.name, Object.fromEntries(entries)]];
  const value = found.single.get(field);
  if (field.name === '') return typeof value === 'object' && value !== null ? definedMembers(value) : [];
  if (value === undefined) return field.always && !field.pointer ? zeroOf(field) : [];
  return isOmitted(field, value) ? [] : [[field.name, value]];
}

function definedMembers(value: Json & object): readonly [string, Json][] {
  return Object.entries(value).flatMap(([name, member]: [string, Json | undefined]) =>
    member === undefined ? [] : [[name, member] as [string, Json]],
  );
}

/** Go leaves out zeros, but not those of structures such as IntOrString. */
function isOmitted({ always, pointer, shape }: MessageField, value: Json): boolean {
  if (always || pointer || (shape.of === 'scalar' && shape.scalar === 'intOrString')) return false;
  return value === '' || value === 0 || value === false;
}

/** What Go prints of a field that was not set and is never left out. */
function zeroOf({ name, shape }: MessageField): readonly [string, Json][] {
  if (shape.of !== 'scalar') return [];
  switch (shape.scalar) {
    case 'string':
      return [[name, '']];
    case 'int32':
    case 'int64':
      return [[name, 0]];
    case 'bool':
      return [[name, false]];
    default:
      return [];
  }
}

const plans = new Map<string, ReadonlyMap<number, MessageField>>();

function fieldsOf(name: string): ReadonlyMap<number, MessageField> {
  let known = plans.get(name);
  if (known === undefined) {
    known = new Map(messageOf(name).fields.map((field) => [field.number, field]));
    plans.set(name, known);
  }
  return known;
}

function entryOf<T>(map: Map<MessageField, T[]>, field: MessageField): T[] {
  let known = map.get(field);
  if (known === undefined) {
    known = [];
    map.set(field, known);
  }
  return known;
}
