import { apiError } from '@bloomery/kube';
import { isJsonObject, type Json, parseJson } from '@bloomery/model';
import { errorText } from '@bloomery/ports';
import { kubeJson, readYamlDocument } from '@bloomery/talos';
import { badRequest } from '../pipeline/api-status.ts';
import { decodeProtobufBody } from '../protobuf/index.ts';
import { countMembers, outlineJson, repeatedFields } from './json-members.ts';

const ACCEPTED = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
/** Deeper JSON than any real object is refused before it is walked. */
const MAX_DEPTH = 200;
/** More keys that a YAML body gives twice are not named. */
const MAX_DUPLICATES = 100;
/** YAML takes many times longer to read than JSON: more of it is refused. */
export const MAX_YAML_BYTES = 1024 * 1024;
const APPLY = 'application/apply-patch+yaml';

/** Decode a request body by its content type; no content type at all is JSON, as old kubectl sends it. @throws 400, 413, 415. */
export function decodeBody(bytes: Uint8Array, contentType: string | undefined): Json {
  const type = typeOf(contentType);
  switch (type) {
    case 'application/json':
      return decodeJson(bytes);
    case 'application/yaml':
    case APPLY:
      return readYaml(bytes).value;
    case 'application/vnd.kubernetes.protobuf': {
      const decoded = decodeProtobufBody(bytes);
      if (decoded.ok) return decoded.object;
      if (!decoded.unsupported) throw badRequest(decoded.message);
      throw apiError({ code: 415, reason: 'UnsupportedMediaType', message: decoded.message }, type);
    }
    default:
      throw unsupported(type);
  }
}

/** @throws 415 for parameters that are none. */
function typeOf(contentType: string | undefined): string {
  const [first = '', ...parameters] = (contentType || 'application/json').split(';');
  const type = first.trim().toLowerCase();
  if (parameters.some((parameter) => !parameter.includes('=') && parameter.trim() !== '')) throw unsupported(type);
  return type;
}

/** 415 with what would be accepted. */
export function unsupported(type: string, accepted = ACCEPTED): Error {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
  return apiError({ code: 415, reason: 'UnsupportedMediaType', message }, type);
}

/** A body, and what it says twice: `duplicate field "spec.size"`, for YAML `line 6: key "size" already set in map`. */
export interface DecodedBody {
  readonly value: Json;
  readonly duplicates: readonly string[];
}

/** Like `decodeBody`, with a look for fields that are given twice; the last one counts. @throws 400, 413, 415. */
export function decodeWithDuplicates(bytes: Uint8Array, contentType: string | undefined): DecodedBody {
  const type = typeOf(contentType);
  if (type === 'application/json') return jsonWithDuplicates(bytes);
  if (type === 'application/yaml' || type === APPLY) return readYaml(bytes);
  return { value: decodeBody(bytes, contentType), duplicates: [] };
}

/** Parse JSON of a bounded depth. @throws 400. */
function decodeJson(bytes: Uint8Array): Json {
  return parsed(bytes).value;
}

/**
 * Like `decodeJson`, with a look for fields that are given twice: only when the text has more members than its value are they
 * searched for.
 *
 * @param label before the words `duplicate field`.
 */
export function jsonWithDuplicates(bytes: Uint8Array, label = ''): DecodedBody {
  const { text, value, members } = parsed(bytes);
  const repeated = countMembers(value) < members ? repeatedFields(text) : [];
  return { value, duplicates: repeated.map((path) => `${label}duplicate field "${path}"`) };
}

function parsed(bytes: Uint8Array): { readonly text: string; readonly value: Json; readonly members: number } {
  const text = new TextDecoder('utf-8').decode(bytes);
  const { depth, members } = outlineJson(text, MAX_DEPTH);
  if (depth > MAX_DEPTH) throw badRequest(`the object provided is nested deeper than ${MAX_DEPTH} levels`);
  try {
    const value = parseJson(text);
    if (HUGE_NUMBER.test(text) && holdsInfinity(value)) throw new RangeError('a number is out of range');
    return { text, value, members };
  } catch (error) {
    throw badRequest(`the object provided is unrecognized (must be valid JSON): ${errorText(error).slice(0, 200)}`);
  }
}

/** Only such texts can hold a number that is no double. */
const HUGE_NUMBER = /\d[eE]\+?\d{3}|\d{309}/;

function holdsInfinity(value: Json): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  if (Array.isArray(value)) return value.some((item: Json) => holdsInfinity(item));
  return isJsonObject(value) && Object.values(value).some((member) => holdsInfinity(member ?? null));
}

function readYaml(bytes: Uint8Array): DecodedBody {
  const text = new TextDecoder('utf-8').decode(bytes);
  // kubectl sends JSON as YAML most of the time, and JSON.parse is many times faster.
  if (text.trimStart().startsWith('{')) {
    try {
      const decoded = jsonWithDuplicates(bytes);
      if (isJsonObject(decoded.value)) return decoded;
    } catch {
      // Flow-style YAML that is no JSON: the YAML reader decides.
    }
  }
  if (bytes.length > MAX_YAML_BYTES) {
    const message = `Request entity too large: YAML is read up to ${MAX_YAML_BYTES} bytes, send JSON instead`;
    throw apiError({ code: 413, reason: 'RequestEntityTooLarge', message });
  }
  const duplicates: string[] = [];
  const onDuplicate = (key: string, line: number): void => {
    if (duplicates.length < MAX_DUPLICATES)
      duplicates.push(`line ${line}: key ${JSON.stringify(key)} already set in map`);
  };
  try {
    const tree = readYamlDocument(text, { code: 'BLM_API_BAD_REQUEST', what: 'the request body', onDuplicate });
    return { value: kubeJson(tree), duplicates };
  } catch (error) {
    throw badRequest(`error decoding YAML: ${errorText(error)}`);
  }
}
