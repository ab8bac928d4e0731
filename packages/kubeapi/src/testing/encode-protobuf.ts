import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { type FieldShape, messageOf } from '../builtin/message-table.ts';

/** Write a body of type `application/vnd.kubernetes.protobuf` as Go clients do. `message` is its name in the table. */
export function encodeProtobuf(message: string, object: JsonObject): Uint8Array {
  const text = (name: string): string => String(object[name] ?? '');
  const type = new BinaryWriter().tag(1, WireType.LengthDelimited).string(text('apiVersion'));
  type.tag(2, WireType.LengthDelimited).string(text('kind'));
  const envelope = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(type.finish());
  envelope.tag(2, WireType.LengthDelimited).bytes(encodeMessage(message, object));
  envelope.tag(3, WireType.LengthDelimited).string('').tag(4, WireType.LengthDelimited).string('');
  return Uint8Array.from([0x6b, 0x38, 0x73, 0, ...envelope.finish()]);
}

/** Write one message of the table; members that it does not have are left out. */
function encodeMessage(message: string, object: JsonObject): Uint8Array {
  const writer = new BinaryWriter();
  for (const { name, number, shape } of messageOf(message).fields) {
    const value = name === '' ? object : object[name];
    if (value === undefined || value === null) continue;
    if (shape.of === 'list' && Array.isArray(value)) {
      for (const item of value) writeValue(writer, number, shape.element, item);
    } else if (shape.of === 'map' && isJsonObject(value)) {
      for (const [key, item] of Object.entries(value)) {
        const entry = new BinaryWriter().tag(1, WireType.LengthDelimited).string(key);
        writeValue(entry, 2, shape.element, item ?? null);
        writer.tag(number, WireType.LengthDelimited).bytes(entry.finish());
      }
    } else writeValue(writer, number, shape, value);
  }
  return writer.finish();
}

function writeValue(writer: BinaryWriter, number: number, shape: FieldShape, value: Json): void {
  if (shape.of === 'message') {
    const bytes = isJsonObject(value) ? encodeMessage(shape.name, value) : new Uint8Array();
    writer.tag(number, WireType.LengthDelimited).bytes(bytes);
    return;
  }
  const scalar = shape.of === 'scalar' ? shape.scalar : 'string';
  switch (scalar) {
    case 'int32':
    case 'int64':
      writer.tag(number, WireType.Varint).int64(Number(value));
      break;
    case 'bool':
      writer.tag(number, WireType.Varint).bool(value === true);
      break;
    case 'double':
      writer.tag(number, WireType.Bit64).double(Number(value));
      break;
    case 'string':
      writer.tag(number, WireType.LengthDelimited).string(String(value));
      break;
    case 'bytes':
      writer.tag(number, WireType.LengthDelimited).bytes(Buffer.from(String(value), 'base64'));
      break;
    default:
      writer.tag(number, WireType.LengthDelimited).bytes(wrapped(scalar, value));
  }
}

function wrapped(scalar: string, value: Json): Uint8Array {
  const writer = new BinaryWriter();
  if (scalar === 'metadata') return encodeMessage('meta.ObjectMeta', isJsonObject(value) ? value : {});
  if (scalar === 'time' || scalar === 'microTime') {
    const text = String(value);
    const micros = /\.(\d{6})Z$/.exec(text)?.[1] ?? '0';
    writer.tag(1, WireType.Varint).int64(Math.trunc(Date.parse(text) / 1000));
    return writer
      .tag(2, WireType.Varint)
      .int32(Number(micros) * 1000)
      .finish();
  }
  if (scalar === 'intOrString') {
    writer.tag(1, WireType.Varint).int64(typeof value === 'string' ? 1 : 0);
    return typeof value === 'string'
      ? writer.tag(3, WireType.LengthDelimited).string(value).finish()
      : writer.tag(2, WireType.Varint).int32(Number(value)).finish();
  }
  if (scalar === 'texts') {
    for (const item of Array.isArray(value) ? value : []) writer.tag(1, WireType.LengthDelimited).string(String(item));
    return writer.finish();
  }
  const text = scalar === 'quantity' ? String(value) : JSON.stringify(value);
  return writer.tag(1, WireType.LengthDelimited).string(text).finish();
}
