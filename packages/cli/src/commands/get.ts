import { objectPath } from '@bloomery/kube';
import {
  isJsonObject,
  type Json,
  type JsonObject,
  type KindDefinition,
  type KubeObject,
  parseJson,
} from '@bloomery/model';
import { dataText, type FormatOptions, formatOf, type OutputFormat } from '../output/format.ts';
import { tableText } from '../output/table.ts';
import { resolveKind } from '../resolve-kind.ts';
import { resolveServer } from '../resolve-server.ts';
import { keyIn, type Session } from '../session.ts';

/** Options of `bloomery get`. */
export interface GetOptions extends FormatOptions {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly watch?: boolean;
  readonly headers?: boolean;
}

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

interface Column {
  readonly name: string;
  readonly isWide: boolean;
}

interface Rows {
  readonly columns: readonly Column[];
  readonly rows: readonly JsonObject[];
  readonly resourceVersion: string;
}

/** `bloomery get KIND [NAME…]`: what kubectl get shows, with names resolved. */
export async function get(session: Session, words: readonly string[], options: GetOptions): Promise<void> {
  const { kind, names } = parseWords(words);
  const format = formatOf(options);
  const found = await Promise.all(names.map((name) => resolveName(session, kind, name)));
  if (format === 'table' || format === 'wide') return printTable(session, kind, found, format, options);
  return printObjects(session, kind, found, format, options);
}

function parseWords(words: readonly string[]): { readonly kind: KindDefinition; readonly names: readonly string[] } {
  const [first = '', ...rest] = words;
  const slash = first.indexOf('/');
  if (slash < 0) return { kind: resolveKind(first), names: rest };
  return { kind: resolveKind(first.slice(0, slash)), names: [first.slice(slash + 1), ...rest] };
}

async function resolveName(session: Session, kind: KindDefinition, name: string): Promise<string> {
  return kind.kind === 'Server' ? (await resolveServer(session.client, name)).metadata.name : name;
}

async function printTable(
  session: Session,
  kind: KindDefinition,
  names: readonly string[],
  format: OutputFormat,
  options: GetOptions,
): Promise<void> {
  const { stdout, stderr } = session.deps;
  const tables = await Promise.all(pathsOf(session, kind, names, options).map((path) => readTable(session, path)));
  const [first] = tables;
  const rows = tables.flatMap((table) => table.rows);
  if (first === undefined || (rows.length === 0 && options.watch !== true)) {
    stderr.write(`No ${kind.plural} found${whereText(session, kind, options)}.\n`);
    return;
  }
  const withNamespace = kind.scope === 'Namespaced' && options.allNamespaces === true;
  const shown = first.columns.map((column, i) => ({ ...column, i })).filter((c) => format === 'wide' || !c.isWide);
  const heading = [...(withNamespace ? ['NAMESPACE'] : []), ...shown.map(({ name }) => name.toUpperCase())];
  const line = (row: JsonObject): readonly string[] => {
    const cells = Array.isArray(row['cells']) ? (row['cells'] as readonly Json[]) : [];
    return [...(withNamespace ? [namespaceOf(row)] : []), ...shown.map(({ i }) => cellText(cells[i]))];
  };
  stdout.write(tableText(heading, rows.map(line), options.headers !== false));
  if (options.watch !== true) return;
  const [path = ''] = pathsOf(session, kind, names, options);
  for await (const changed of watchRows(session, path, first.resourceVersion)) {
    stdout.write(tableText(heading, [line(changed)], false));
  }
}

function pathsOf(
  session: Session,
  kind: KindDefinition,
  names: readonly string[],
  options: GetOptions,
): readonly string[] {
  const namespace = options.allNamespaces === true ? undefined : session.namespace;
  if (names.length > 0) return names.map((name) => objectPath(kind, session.namespace, name));
  const query = new URLSearchParams();
  if (options.selector !== undefined) query.set('labelSelector', options.selector);
  if (options.fieldSelector !== undefined) query.set('fieldSelector', options.fieldSelector);
  return [`${objectPath(kind, namespace)}${query.size === 0 ? '' : `?${query}`}`];
}

async function readTable(session: Session, path: string): Promise<Rows> {
  const { signal } = session.deps;
  const answer = parseJson(await session.client.transport.send({ method: 'GET', path, accept: TABLE, signal }));
  const table = isJsonObject(answer) ? answer : {};
  const metadata = table['metadata'];
  const version = isJsonObject(metadata) ? metadata['resourceVersion'] : undefined;
  return {
    columns: objectsIn(table['columnDefinitions']).map((column) => {
      return { name: String(column['name']), isWide: Number(column['priority'] ?? 0) > 0 };
    }),
    rows: objectsIn(table['rows']),
    resourceVersion: typeof version === 'string' ? version : '',
  };
}

async function* watchRows(session: Session, path: string, resourceVersion: string): AsyncGenerator<JsonObject> {
  const query = `${path.includes('?') ? '&' : '?'}watch=1&resourceVersion=${encodeURIComponent(resourceVersion)}`;
  const call = { method: 'GET', path: `${path}${query}`, accept: TABLE, signal: session.deps.signal } as const;
  for await (const text of session.client.transport.lines(call)) {
    const event = parseJson(text);
    const table = isJsonObject(event) ? event['object'] : undefined;
    if (isJsonObject(event) && event['type'] !== 'BOOKMARK' && isJsonObject(table)) yield* objectsIn(table['rows']);
  }
}

async function printObjects(
  session: Session,
  kind: KindDefinition,
  names: readonly string[],
  format: 'json' | 'yaml' | 'name',
  options: GetOptions,
): Promise<void> {
  const { deps } = session;
  const items = (await readObjects(session, kind, names, options)).map(withoutManagedFields);
  if (format === 'name') {
    const group = kind.group === '' ? '' : `.${kind.group}`;
    deps.stdout.write(items.map((item) => `${kind.singular}${group}/${item.metadata.name}\n`).join(''));
    return;
  }
  const [only] = items;
  const list = { apiVersion: 'cli.bloomery.dev/v1', kind: kind.listKind, items };
  const value = names.length === 1 && only !== undefined ? only : list;
  deps.stdout.write(await dataText(value, format));
}

/** Who wrote which field is for programs that ask for it; kubectl leaves it out too. */
function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

async function readObjects(
  session: Session,
  kind: KindDefinition,
  names: readonly string[],
  options: GetOptions,
): Promise<readonly KubeObject[]> {
  if (names.length > 0) return Promise.all(names.map((name) => session.client.get(kind, keyIn(session, kind, name))));
  const { items } = await session.client.list(kind, {
    ...(options.allNamespaces === true || kind.scope === 'Cluster' ? {} : { namespace: session.namespace }),
    ...(options.selector === undefined ? {} : { labels: options.selector }),
    ...(options.fieldSelector === undefined ? {} : { fields: options.fieldSelector }),
  });
  return items;
}

function objectsIn(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).filter((item) => isJsonObject(item)) : [];
}

function namespaceOf(row: JsonObject): string {
  const object = row['object'];
  const metadata = isJsonObject(object) ? object['metadata'] : undefined;
  return isJsonObject(metadata) ? String(metadata['namespace'] ?? '') : '';
}

function cellText(cell: Json | undefined): string {
  if (cell === undefined || cell === null || cell === '') return '-';
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell).replaceAll('\n', '\\n');
}

function whereText(session: Session, kind: KindDefinition, options: GetOptions): string {
  return kind.scope === 'Cluster' || options.allNamespaces === true ? '' : ` in namespace ${session.namespace}`;
}
