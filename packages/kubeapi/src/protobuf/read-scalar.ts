import { type Json, type JsonObject, parseJson } from '@bloomery/model';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import type { Scalar } from '../builtin/message-table.ts';

/** Bytes that are no message of this kind. */
export class UnreadableMessage extends Error {}

/** Reads messages inside the present one. */
export interface Within {
  readonly message: (name: string, bytes: Uint8Array) => JsonObject;
}

/** JSON inside protobuf deeper than any real object. */
const MAX_JSON_DEPTH = 200;

const JSON_SCHEMA = 'apiextensions.JSONSchemaProps';

/** Read one value that is no message of the table; undefined for a time that is not set. @throws UnreadableMessage. */
export function readScalar(scalar: Scalar, reader: BinaryReader, wire: WireType, within: Within): Json | undefined {
  if (wire !== WIRE_TYPES[scalar]) throw new UnreadableMessage(`wire type ${wire} for a ${scalar}`);
  switch (scalar) {
    case 'string':
      return reader.string();
    case 'int32':
      return reader.int32();
    case 'int64':
      return wholeNumber(reader.int64());
    case 'bool':
      return reader.bool();
    case 'double':
      return finite(reader.double());
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    default:
      return readWrapped(scalar, reader.bytes(), within);
  }
}

const WIRE_TYPES: { readonly [scalar in Scalar]: WireType } = {
  string: WireType.LengthDelimited,
  int32: WireType.Varint,
  int64: WireType.Varint,
  bool: WireType.Varint,
  double: WireType.Bit64,
  bytes: WireType.LengthDelimited,
  time: WireType.LengthDelimited,
  microTime: WireType.LengthDelimited,
  quantity: WireType.LengthDelimited,
  intOrString: WireType.LengthDelimited,
  raw: WireType.LengthDelimited,
  json: WireType.LengthDelimited,
  fieldsV1: WireType.LengthDelimited,
  texts: WireType.LengthDelimited,
  schemaOrBool: WireType.LengthDelimited,
  schemaOrList: WireType.LengthDelimited,
  schemaOrTexts: WireType.LengthDelimited,
  metadata: WireType.LengthDelimited,
};

type Wrapped = Exclude<Scalar, 'string' | 'int32' | 'int64' | 'bool' | 'double' | 'bytes'>;

/** Values that have a message of their own on the wire and are one value in JSON. */
function readWrapped(scalar: Wrapped, bytes: Uint8Array, within: Within): Json | undefined {
  switch (scalar) {
    case 'metadata':
      return within.message('meta.ObjectMeta', bytes);
    case 'time':
      return timeText(bytes, 0);
    case 'microTime':
      return timeText(bytes, 6);
    case 'quantity':
      return textsIn(bytes)[0] ?? '0';
    case 'texts':
      return textsIn(bytes);
    case 'intOrString':
      return intOrString(bytes);
    case 'raw':
    case 'json':
      return jsonIn(bytes);
    case 'fieldsV1':
      return jsonIn(bytes) ?? {};
    case 'schemaOrBool':
    case 'schemaOrList':
    case 'schemaOrTexts':
      return schemaOr(scalar, bytes, within);
  }
}

/** Calls `take` for each field; a field that it does not take is skipped. */
function eachField(bytes: Uint8Array, take: (number: number, wire: WireType, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (!take(number, wire, reader)) reader.skip(wire, number);
  }
}

/** Seconds and nanoseconds as RFC 3339 in UTC; both zero means that there is no time. */
function timeText(bytes: Uint8Array, fractionDigits: 0 | 6): string | undefined {
  let seconds = 0;
  let nanos = 0;
  eachField(bytes, (number, wire, reader) => {
    if (wire !== WireType.Varint || number > 2) return false;
    if (number === 1) seconds = Number(reader.int64());
    else nanos = reader.int32();
    return true;
  });
  if (seconds === 0 && nanos === 0) return undefined;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime()) || nanos < 0 || nanos > 999_999_999)
    throw new UnreadableMessage('a time is out of range');
  const whole = date.toISOString().replace(/\.\d+Z$/, '');
  const fraction = fractionDigits === 0 ? '' : `.${String(Math.trunc(nanos / 1000)).padStart(fractionDigits, '0')}`;
  return `${whole}${fraction}Z`;
}

function textsIn(bytes: Uint8Array): readonly string[] {
  const texts: string[] = [];
  eachField(bytes, (number, wire, reader) => {
    if (number !== 1 || wire !== WireType.LengthDelimited) return false;
    texts.push(reader.string());
    return true;
  });
  return texts;
}

function intOrString(bytes: Uint8Array): string | number {
  let isText = false;
  let whole = 0;
  let text = '';
  eachField(bytes, (number, wire, reader) => {
    if (number === 1 && wire === WireType.Varint) isText = Number(reader.int64()) === 1;
    else if (number === 2 && wire === WireType.Varint) whole = reader.int32();
    else if (number === 3 && wire === WireType.LengthDelimited) text = reader.string();
    else return false;
    return true;
  });
  return isText ? text : whole;
}

/** JSON text in a message; undefined when there is none. */
function jsonIn(bytes: Uint8Array): Json | undefined {
  let raw: Uint8Array = new Uint8Array();
  eachField(bytes, (number, wire, reader) => {
    if (number !== 1 || wire !== WireType.LengthDelimited) return false;
    raw = reader.bytes();
    return true;
  });
  if (raw.byteLength === 0) return undefined;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(raw);
  if (nesting(text) > MAX_JSON_DEPTH) throw new UnreadableMessage(`JSON nests deeper than ${MAX_JSON_DEPTH}`);
  return parseJson(text);
}

/** An upper bound of how deep a JSON text nests: brackets in texts count too, as long as they are not closed. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x7d || c === 0x5d) depth -= 1;
  }
  return deepest;
}

/** A JSON schema, or what may stand in its place: a flag (field 1), a list of schemas or of texts (field 2). */
function schemaOr(scalar: 'schemaOrBool' | 'schemaOrList' | 'schemaOrTexts', bytes: Uint8Array, within: Within): Json {
  const schemaField = scalar === 'schemaOrBool' ? 2 : 1;
  let schema: Json | undefined;
  let allows = false;
  const items: Json[] = [];
  eachField(bytes, (number, wire, reader) => {
    if (number === schemaField && wire === WireType.LengthDelimited)
      schema = within.message(JSON_SCHEMA, reader.bytes());
    else if (number === 1 && wire === WireType.Varint) allows = reader.bool();
    else if (number === 2 && wire === WireType.LengthDelimited) {
      items.push(scalar === 'schemaOrTexts' ? reader.string() : within.message(JSON_SCHEMA, reader.bytes()));
    } else return false;
    return true;
  });
  return schema ?? (scalar === 'schemaOrBool' ? allows : items);
}

function wholeNumber(value: bigint | string): number | bigint {
  const wide = BigInt(value);
  return BigInt.asIntN(53, wide) === wide ? Number(wide) : wide;
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new UnreadableMessage('a number is not finite');
  return value;
}
