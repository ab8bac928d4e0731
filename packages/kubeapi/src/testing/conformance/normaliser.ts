import { isJsonObject, type Json, type JsonObject, stringifyJson } from '@bloomery/model';
import { entryKey, named } from '../stand-ins.ts';

/** What stands for the fresh namespace of a case in a recording. */
const NAMESPACE = '$' + '{NS}';
const SERVER = '$' + '{SERVER}';
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/g;
const AGE = /^(?:\d+[smhdy]){1,2}$/;
/** Go prints a patched object whole, its keys in the order of its struct. */
const PATCHED = /"(?:\{.*\}|map\[.*\])": /g;
const RECORD = /in record \(\d+\)/;
const MISSING_IN = /is missing in '\{.*\}'/g;
const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g;

/**
 * Takes out of answers what differs from run to run: uids become UID<n> and resource versions RV<n> in order of first sight,
 * times TIME, ages AGE, the case's namespace ${NS}, the server's address ${SERVER}; the version of a list becomes RV,
 * managedFields, conditions-free causes and owners keep their order except that managedFields and causes are sorted.
 */
export class Normaliser {
  readonly #namespace: string;
  readonly #url: string;
  readonly #uids = new Map<string, string>();
  readonly #versions = new Map<string, string>();

  constructor(namespace: string, url: string) {
    this.#namespace = namespace;
    this.#url = url;
  }

  /** A JSON answer. */
  json(value: Json): Json {
    return this.#value(value, []);
  }

  /** Any text: what a program printed, an error message. */
  text(text: string): string {
    return text
      .replaceAll(this.#url, SERVER)
      .replaceAll(this.#url.replace('https://', ''), SERVER)
      .replaceAll(this.#namespace, NAMESPACE)
      .replace(JWT, 'JWT')
      .replace(UUID, (uid) => named(this.#uids, uid, 'UID'))
      .replace(TIME, 'TIME')
      .replace(RECORD, 'in record (RV)')
      .replace(PATCHED, '"OBJECT": ')
      .replace(MISSING_IN, "is missing in 'OBJECT'");
  }

  /** A path with its query. */
  path(path: string): string {
    return this.text(
      path.replace(/resourceVersion=\d{2,}/, 'resourceVersion=RV').replace(/continue=[\w%-]{24,}/, 'continue=TOKEN'),
    );
  }

  /** What a program printed in columns: also without ages and with the widths of columns evened. */
  columns(text: string): string {
    return this.text(text)
      .split('\n')
      .map((line) =>
        line
          .trimEnd()
          .split(/ {2,}|\t/)
          .map((cell) => (AGE.test(cell) ? 'AGE' : cell))
          .join('  '),
      )
      .join('\n');
  }

  #value(value: Json, path: readonly string[]): Json {
    if (Array.isArray(value)) return this.#list(value, path);
    if (isJsonObject(value)) return this.#object(value, path);
    return typeof value === 'string' ? this.#string(value, path) : value;
  }

  #object(value: JsonObject, path: readonly string[]): JsonObject {
    const members = Object.entries(withoutOrderOfCauses(value)).map(([name, member]) => {
      const isListVersion = name === 'metadata' && (Array.isArray(value['items']) || Array.isArray(value['rows']));
      const plain = isListVersion ? listMetadata(member) : (member ?? null);
      return [this.text(name), this.#value(plain, [...path, name])];
    });
    return Object.fromEntries(members);
  }

  #list(value: readonly Json[], path: readonly string[]): readonly Json[] {
    const items = value.map((item) => this.#value(item, path));
    const name = path.at(-1);
    if (name === 'managedFields') return items.toSorted((a, b) => order(entryKey(a), entryKey(b)));
    if (name === 'causes') return items.toSorted((a, b) => order(stringifyJson(a), stringifyJson(b)));
    return items;
  }

  #string(value: string, path: readonly string[]): string {
    const name = path.at(-1);
    if (name === 'resourceVersion') return /^\d{1,19}$/.test(value) ? named(this.#versions, value, 'RV') : value;
    if (name === 'continue' && value !== '') return 'CONTINUE';
    if (name === 'cells' && AGE.test(value)) return 'AGE';
    return this.text(value);
  }
}

function listMetadata(metadata: Json | undefined): Json {
  if (!isJsonObject(metadata)) return metadata ?? null;
  return { ...metadata, ...(metadata['resourceVersion'] === undefined ? {} : { resourceVersion: 'RV' }) };
}

/** Several errors come in any order: their list in the message is cut, the sorted causes stay. */
function withoutOrderOfCauses(value: JsonObject): JsonObject {
  const { kind, message, details } = value;
  if (kind !== 'Status' || typeof message !== 'string' || !isJsonObject(details)) return value;
  const { causes } = details;
  if (!Array.isArray(causes) || causes.length < 2) return value;
  return { ...value, message: message.replace(/: \[.*$/s, ': [...]') };
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
