import type { JsonObject } from '@bloomery/model';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { messageOfKind } from '../builtin/message-of-kind.ts';
import { readMessage } from './read-message.ts';

/** What every protobuf body of Kubernetes starts with: `k8s` and a zero byte. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00] as const;

/** A decoded body, or why it cannot be read. */
export type DecodedBody =
  | { readonly ok: true; readonly object: JsonObject }
  | {
      readonly ok: false;
      /** True when the bytes are well formed but of a kind that is not read as protobuf: answer 415. Else 400. */
      readonly unsupported: boolean;
      readonly message: string;
    };

/**
 * Decode a request body of type `application/vnd.kubernetes.protobuf` into the object that its JSON would be:
 * bytes become base64, times RFC 3339, empty texts and absent times are left out. Never throws.
 *
 * @param body at most what the server accepts as a body. Not retained.
 * @see spec kube-api §2.2
 */
export function decodeProtobufBody(body: Uint8Array): DecodedBody {
  try {
    return decode(body);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function decode(body: Uint8Array): DecodedBody {
  if (!MAGIC.every((byte, i) => body[i] === byte))
    return refuse('provided data does not appear to be a protobuf message');
  const { apiVersion, kind, raw, contentEncoding } = readEnvelope(body.subarray(MAGIC.length));
  const message = messageOfKind(apiVersion, kind);
  if (message === undefined) {
    return {
      ok: false,
      unsupported: true,
      message: `${kind || 'a kind without name'} of ${apiVersion || 'no version'} is not read as protobuf here; send it as application/json`,
    };
  }
  if (contentEncoding !== '') return refuse(`unsupported content encoding "${contentEncoding}"`);
  return { ok: true, object: { apiVersion, kind, ...readMessage(message, raw) } };
}

interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
  contentEncoding: string;
}

/** runtime.Unknown: typeMeta=1 {apiVersion=1, kind=2}, raw=2, contentEncoding=3. */
function readEnvelope(bytes: Uint8Array): Envelope {
  const envelope: Envelope = { apiVersion: '', kind: '', raw: new Uint8Array(), contentEncoding: '' };
  eachText(bytes, (number, reader) => {
    if (number === 1) {
      eachText(reader.bytes(), (inner, type) => {
        if (inner === 1) envelope.apiVersion = type.string();
        else if (inner === 2) envelope.kind = type.string();
        else return false;
        return true;
      });
    } else if (number === 2) envelope.raw = reader.bytes();
    else if (number === 3) envelope.contentEncoding = reader.string();
    else return false;
    return true;
  });
  return envelope;
}

/** Calls `take` for each field with a length; a field that it does not take is skipped. */
function eachText(bytes: Uint8Array, take: (number: number, reader: BinaryReader) => boolean): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wire !== WireType.LengthDelimited || !take(number, reader)) reader.skip(wire, number);
  }
}

function refuse(message: string): DecodedBody {
  return { ok: false, unsupported: false, message };
}
