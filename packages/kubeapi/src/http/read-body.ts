import { apiError } from '@bloomery/kube';
import { isJsonObject, type Json, parseJson } from '@bloomery/model';
import { errorText } from '@bloomery/ports';
import { kubeJson, readYamlDocument } from '@bloomery/talos';
import { badRequest } from '../pipeline/api-status.ts';
import { decodeProtobufBody } from '../protobuf/index.ts';

const ACCEPTED = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
/** Deeper JSON than any real object is refused before it is walked. */
const MAX_DEPTH = 200;

/** Decode a request body by its content type; no content type at all is JSON, as old kubectl sends it. @throws 400, 415. */
export function decodeBody(bytes: Uint8Array, contentType: string | undefined): Json {
  const type = (contentType || 'application/json').split(';')[0]?.trim().toLowerCase() ?? '';
  switch (type) {
    case 'application/json':
      return decodeJson(bytes);
    case 'application/yaml':
    case 'application/apply-patch+yaml':
      return decodeYaml(bytes);
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

/** 415 with what would be accepted. */
export function unsupported(type: string, accepted = ACCEPTED): Error {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted}`;
  return apiError({ code: 415, reason: 'UnsupportedMediaType', message }, type);
}

/** Parse JSON of a bounded depth. @throws 400. */
export function decodeJson(bytes: Uint8Array): Json {
  const text = new TextDecoder('utf-8').decode(bytes);
  if (nestsDeeper(text, MAX_DEPTH)) throw badRequest(`the object provided is nested deeper than ${MAX_DEPTH} levels`);
  try {
    return parseJson(text);
  } catch (error) {
    throw badRequest(`the object provided is unrecognized (must be valid JSON): ${errorText(error).slice(0, 200)}`);
  }
}

function decodeYaml(bytes: Uint8Array): Json {
  const text = new TextDecoder('utf-8').decode(bytes);
  // kubectl sends JSON as YAML most of the time, and JSON.parse is many times faster.
  if (text.trimStart().startsWith('{')) {
    try {
      const value = decodeJson(bytes);
      if (isJsonObject(value)) return value;
    } catch {
      // Flow-style YAML that is no JSON: the YAML reader decides.
    }
  }
  try {
    return kubeJson(readYamlDocument(text, { code: 'BLM_API_BAD_REQUEST', what: 'the request body' }));
  } catch (error) {
    throw badRequest(`error decoding YAML: ${errorText(error)}`);
  }
}

function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i += 1;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x7b || c === 0x5b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (c === 0x7d || c === 0x5d) depth -= 1;
  }
  return false;
}
