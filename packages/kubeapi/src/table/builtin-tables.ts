import { isJsonObject, type Json, type JsonObject, type KindRef } from '@bloomery/model';
import { ownMember } from '../schema/field-path.ts';
import { ageText } from './age.ts';

/** A column of a built-in kind: the cell is computed, not looked up by a path. */
export interface ComputedColumn {
  readonly name: string;
  readonly of: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly wide?: boolean;
  readonly description?: string;
  /** `name` for the column that holds the name. */
  readonly format?: string;
  readonly cell: (object: JsonObject, nowMs: number) => Json;
}

/**
 * The columns of the built-in kinds whose cells are no plain fields; undefined for all other kinds.
 * As kube-apiserver has it, counts are numbers in columns of type string, and Events have their name last.
 */
export function builtinColumns(kind: Pick<KindRef, 'group' | 'kind'>): readonly ComputedColumn[] | undefined {
  return ownMember(TABLES, `${kind.group}/${kind.kind}`);
}

const age: ComputedColumn = {
  name: 'Age',
  of: 'string',
  cell: (object, nowMs) => ageText(text(at(object, 'metadata', 'creationTimestamp')), nowMs),
};
const created: ComputedColumn = {
  name: 'Created At',
  of: 'date',
  cell: (object) => text(at(object, 'metadata', 'creationTimestamp')) ?? null,
};
const data: ComputedColumn = {
  name: 'Data',
  of: 'string',
  cell: (object) => size(at(object, 'data')) + size(at(object, 'binaryData')),
};

const field = (name: string, ...path: string[]): ComputedColumn => ({
  name,
  of: 'string',
  cell: (object) => text(at(object, ...path)) ?? '',
});
const wide = (column: ComputedColumn): ComputedColumn => ({ ...column, wide: true });

const eventColumns: readonly ComputedColumn[] = [
  { name: 'Last Seen', of: 'string', cell: (event, nowMs) => ageText(lastSeen(event), nowMs) },
  field('Type', 'type'),
  field('Reason', 'reason'),
  { name: 'Object', of: 'string', cell: (event) => objectName(at(event, 'involvedObject') ?? at(event, 'regarding')) },
  wide(field('Subobject', 'involvedObject', 'fieldPath')),
  wide({ name: 'Source', of: 'string', cell: eventSource }),
  {
    name: 'Message',
    of: 'string',
    cell: (event) => (text(at(event, 'message')) ?? text(at(event, 'note')) ?? '').trim(),
  },
  wide({ name: 'First Seen', of: 'string', cell: (event, nowMs) => ageText(firstSeen(event), nowMs) }),
  wide({ name: 'Count', of: 'string', cell: (event) => at(event, 'series', 'count') ?? at(event, 'count') ?? 1 }),
  { ...wide(field('Name', 'metadata', 'name')), format: 'name' },
];

const bindingColumns: readonly ComputedColumn[] = [
  {
    name: 'Role',
    of: 'string',
    cell: (binding) => `${text(at(binding, 'roleRef', 'kind')) ?? ''}/${text(at(binding, 'roleRef', 'name')) ?? ''}`,
  },
  age,
  wide(subjects('Users', 'User')),
  wide(subjects('Groups', 'Group')),
  wide(subjects('ServiceAccounts', 'ServiceAccount')),
];

const TABLES: { readonly [kind: string]: readonly ComputedColumn[] } = {
  '/ConfigMap': [data, age],
  '/Event': eventColumns,
  '/Namespace': [field('Status', 'status', 'phase'), age],
  '/Secret': [field('Type', 'type'), data, age],
  '/ServiceAccount': [{ name: 'Secrets', of: 'string', cell: (object) => size(at(object, 'secrets')) }, age],
  'apiextensions.k8s.io/CustomResourceDefinition': [created],
  'coordination.k8s.io/Lease': [field('Holder', 'spec', 'holderIdentity'), age],
  'events.k8s.io/Event': eventColumns,
  'rbac.authorization.k8s.io/ClusterRole': [created],
  'rbac.authorization.k8s.io/ClusterRoleBinding': bindingColumns,
  'rbac.authorization.k8s.io/Role': [created],
  'rbac.authorization.k8s.io/RoleBinding': bindingColumns,
};

function at(object: Json | undefined, ...path: readonly string[]): Json | undefined {
  let value = object;
  for (const name of path) value = isJsonObject(value) ? ownMember(value, name) : undefined;
  return value ?? undefined;
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function size(value: Json | undefined): number {
  return isJsonObject(value) || Array.isArray(value) ? Object.keys(value).length : 0;
}

function firstSeen(event: JsonObject): string | undefined {
  return (
    text(at(event, 'firstTimestamp')) ?? text(at(event, 'eventTime')) ?? text(at(event, 'deprecatedFirstTimestamp'))
  );
}

function lastSeen(event: JsonObject): string | undefined {
  const last =
    at(event, 'series', 'lastObservedTime') ?? at(event, 'lastTimestamp') ?? at(event, 'deprecatedLastTimestamp');
  return text(last) ?? firstSeen(event);
}

function objectName(reference: Json | undefined): string {
  return `${(text(at(reference, 'kind')) ?? '').toLowerCase()}/${text(at(reference, 'name')) ?? ''}`;
}

function eventSource(event: JsonObject): string {
  const source = at(event, 'source') ?? at(event, 'deprecatedSource');
  const component = text(at(source, 'component')) ?? text(at(event, 'reportingComponent')) ?? '';
  const host = text(at(source, 'host')) ?? text(at(event, 'reportingInstance')) ?? '';
  return host === '' ? component : `${component}, ${host}`;
}

function subjects(name: string, kind: string): ComputedColumn {
  const cell = (binding: JsonObject): string => {
    const all = at(binding, 'subjects');
    if (!Array.isArray(all)) return '';
    const named = all.filter((subject: Json) => at(subject, 'kind') === kind);
    return named.map((subject: Json) => subjectName(subject)).join(', ');
  };
  return { name, of: 'string', cell };
}

function subjectName(subject: Json): string {
  const namespace = text(at(subject, 'namespace'));
  const name = text(at(subject, 'name')) ?? '';
  return namespace === undefined ? name : `${namespace}/${name}`;
}
