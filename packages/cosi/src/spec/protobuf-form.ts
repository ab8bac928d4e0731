import { parseIpv4, parseIpv6 } from '@bloomery/wire';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Field, Fields } from './field.ts';
import { isZero, itemsOf, recordOf } from './is-zero.ts';
import { numberOfName } from './named-value.ts';

/** The protobuf form of a spec. What is not set is left out. */
export function specToProtobuf(fields: Fields, spec: Readonly<Record<string, unknown>>): Uint8Array {
  const writer = new BinaryWriter();
  writeFields(fields, spec, writer);
  return writer.finish();
}

function writeFields(fields: Fields, spec: Readonly<Record<string, unknown>>, writer: BinaryWriter): BinaryWriter {
  for (const [name, field] of Object.entries(fields)) {
    const value = spec[name];
    if (!isZero(field, value)) writeField(field.number, field, value, writer);
  }
  return writer;
}

function writeField(number: number, field: Field, value: unknown, writer: BinaryWriter): BinaryWriter {
  if (field.kind === 'optional') return writeField(number, field.of, value, writer);
  if (field.kind === 'map') return writeMap(number, field.value, recordOf(value), writer);
  if (field.kind !== 'list') {
    writer.tag(number, isVarint(field) ? WireType.Varint : WireType.LengthDelimited);
    return writeValue(field, value, writer);
  }
  const items = itemsOf(value);
  if (!isVarint(field.of)) {
    for (const item of items) writeField(number, field.of, item, writer);
    return writer;
  }
  writer.tag(number, WireType.LengthDelimited).fork();
  for (const item of items) writeValue(field.of, item, writer);
  return writer.join();
}

function writeMap(
  number: number,
  of: Field,
  values: Readonly<Record<string, unknown>>,
  writer: BinaryWriter,
): BinaryWriter {
  for (const key of Object.keys(values).sort()) {
    writer.tag(number, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(key);
    writeField(2, of, values[key], writer).join();
  }
  return writer;
}

function isVarint({ kind }: Field): boolean {
  return kind === 'bool' || kind === 'uint' || kind === 'int' || kind === 'enumeration' || kind === 'flags';
}

function writeValue(field: Field, value: unknown, writer: BinaryWriter): BinaryWriter {
  switch (field.kind) {
    case 'bool':
      return writer.bool(value === true);
    case 'uint':
      return writer.uint64(Number(value));
    case 'int':
    case 'flags':
      return writer.int64(Number(value));
    case 'enumeration':
      return writer.int64(numberOfName(field.names, String(value)));
    case 'text':
      return writer.string(String(value));
    case 'bytes':
      return writer.bytes(value instanceof Uint8Array ? value : new Uint8Array());
    case 'mac':
      return writer.bytes(Buffer.from(String(value).replaceAll(':', ''), 'hex'));
    default:
      return writeMessage(field, value, writer.fork()).join();
  }
}

/** What has a message of its own: `common.NetIP`, `NetIPPrefix`, `NetIPPort`, `URL`, Duration, Timestamp. */
function writeMessage(field: Field, value: unknown, writer: BinaryWriter): BinaryWriter {
  switch (field.kind) {
    case 'message':
      return writeFields(field.fields, recordOf(value), writer);
    case 'ip':
      return writer.tag(1, WireType.LengthDelimited).bytes(addressBytes(String(value)));
    case 'prefix':
      return writeSuffixed(String(value), '/', writer);
    case 'ipPort':
      return writeSuffixed(String(value), ':', writer);
    case 'url':
      return writer.tag(1, WireType.LengthDelimited).string(String(value));
    case 'duration':
    case 'time':
      return writeSeconds(Number(value), writer);
    default:
      return writer;
  }
}

/** An address and, after the last separator, a number. */
function writeSuffixed(text: string, separator: string, writer: BinaryWriter): BinaryWriter {
  const at = text.lastIndexOf(separator);
  writer.tag(1, WireType.LengthDelimited).bytes(addressBytes(text.slice(0, at).replace(/^\[|\]$/g, '')));
  return writer.tag(2, WireType.Varint).int32(Number(text.slice(at + 1)) || 0);
}

function writeSeconds(milliseconds: number, writer: BinaryWriter): BinaryWriter {
  const seconds = Math.trunc(milliseconds / 1000);
  writer.tag(1, WireType.Varint).int64(seconds);
  return writer.tag(2, WireType.Varint).int32(Math.round((milliseconds - seconds * 1000) * 1e6));
}

/** 4 or 16 bytes, and those of the zone; none when the text is no address. */
function addressBytes(text: string): Uint8Array {
  const [address = '', zone = ''] = text.split('%');
  const bytes = parseIpv4(address) ?? parseIpv6(address) ?? new Uint8Array();
  return zone === '' ? bytes : Buffer.concat([bytes, Buffer.from(zone)]);
}
