import {
  type Column,
  isJsonObject,
  type Json,
  type JsonObject,
  type KindDefinition,
  stringifyJson,
} from '@bloomery/model';
import { goNumber } from '../schema/go-text.ts';
import { ageText } from './age.ts';
import { builtinColumns } from './builtin-tables.ts';
import type { ComputedColumn } from './cells.ts';
import { findFirst, parseJsonPath } from './json-path.ts';

/** How a Table is to be made. */
export interface TableOptions {
  /** Milliseconds since the epoch: ages are rendered by the server, as of now. */
  readonly nowMs: number;
  /** What each row carries beside its cells. Default Metadata. */
  readonly includeObject?: 'None' | 'Metadata' | 'Object';
  /** List metadata: resourceVersion, continue, remainingItemCount. */
  readonly metadata?: JsonObject;
  /** Leave out the column definitions, as all events of a watch but the first may. */
  readonly withoutDefinitions?: boolean;
}

type KindColumns = Pick<KindDefinition, 'group' | 'kind' | 'columns'>;

/**
 * Render objects as a metav1 Table: a Name column, then those of the kind; Age when it declares none.
 *
 * @param kind group, kind and columns of the version that is answered.
 * @param objects whole objects of that version.
 */
export function renderTable(kind: KindColumns, objects: readonly JsonObject[], options: TableOptions): JsonObject {
  const columns = withName(columnsOf(kind));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata ?? {},
    ...(options.withoutDefinitions === true ? {} : { columnDefinitions: columnDefinitions(columns) }),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object, options.nowMs)),
      object: rowObject(object, options.includeObject ?? 'Metadata'),
    })),
  };
}

/** An object reduced to its metadata, as `as=PartialObjectMetadata` asks for. */
export function partialObjectMetadata(object: JsonObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object['metadata'] ?? {} };
}

function rowObject(object: JsonObject, include: 'None' | 'Metadata' | 'Object'): Json {
  if (include === 'None') return null;
  return include === 'Object' ? object : partialObjectMetadata(object);
}

function nameOf(object: JsonObject): Json {
  const { metadata } = object;
  return (isJsonObject(metadata) ? metadata['name'] : undefined) ?? '';
}

const NAME: ComputedColumn = {
  name: 'Name',
  of: 'string',
  format: 'name',
  description: 'Name, unique within a namespace and kind. Cannot be changed.',
  cell: nameOf,
};

/** The name leads, unless the columns have a place for it. */
function withName(columns: readonly ComputedColumn[]): readonly ComputedColumn[] {
  return columns.some(({ format }) => format === 'name') ? columns : [NAME, ...columns];
}

function columnDefinitions(columns: readonly ComputedColumn[]): readonly JsonObject[] {
  return columns.map((column) => ({
    name: column.name,
    type: column.of,
    format: column.format ?? '',
    description: column.description ?? '',
    priority: column.wide === true ? 1 : 0,
  }));
}

const AGE: Column = { name: 'Age', path: '.metadata.creationTimestamp', of: 'date' };
const prepared = new WeakMap<readonly Column[], readonly ComputedColumn[]>();

function columnsOf(kind: KindColumns): readonly ComputedColumn[] {
  const builtin = builtinColumns(kind);
  if (builtin !== undefined) return builtin;
  const known = prepared.get(kind.columns);
  if (known !== undefined) return known;
  const columns = kind.columns.length === 0 ? [AGE] : kind.columns;
  const made = columns.map((column) => ({ ...column, cell: cellOf(column) }));
  prepared.set(kind.columns, made);
  return made;
}

function cellOf(column: Column): ComputedColumn['cell'] {
  const path = parseJsonPath(column.path);
  return (object, nowMs) => {
    const value = path === undefined ? undefined : findFirst(path, object);
    if (column.of === 'date') return dateCell(value, column, nowMs);
    return value === undefined || value === null ? null : cell(value, column.of);
  };
}

function dateCell(value: Json | undefined, column: Column, nowMs: number): Json {
  if (typeof value === 'string') return ageText(value, nowMs);
  return column.path === AGE.path ? ageText(undefined, nowMs) : null;
}

function cell(value: Json, of: Exclude<Column['of'], 'date'>): Json {
  switch (of) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? value : null;
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'string':
      return printed(value);
  }
}

function printed(value: Json): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'bigint' ? goNumber(value) : stringifyJson(value);
}
