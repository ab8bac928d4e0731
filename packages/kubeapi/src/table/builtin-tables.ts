import type { Json, JsonObject, KindRef } from '@bloomery/model';
import { textAt } from '../json-parts.ts';
import { ownMember } from '../schema/field-path.ts';
import { ageText } from './age.ts';
import { AGE_COLUMN, at, type ComputedColumn, CREATED_COLUMN, column, size, text, textColumn, wide } from './cells.ts';
import { CLUSTER_TABLES } from './cluster-tables.ts';
import { WORKLOAD_TABLES } from './workload-tables.ts';

/**
 * The columns of the built-in kinds whose cells are no plain fields; undefined for all other kinds.
 * As kube-apiserver has it, counts are numbers in columns of type string, and Events have their name last.
 */
export function builtinColumns(kind: Pick<KindRef, 'group' | 'kind'>): readonly ComputedColumn[] | undefined {
  return ownMember(TABLES, `${kind.group}/${kind.kind}`);
}

const data = column('Data', (object) => size(at(object, 'data')) + size(at(object, 'binaryData')));

const eventColumns: readonly ComputedColumn[] = [
  { name: 'Last Seen', of: 'string', cell: (event, nowMs) => ageText(lastSeen(event), nowMs) },
  textColumn('Type', ['type']),
  textColumn('Reason', ['reason']),
  { name: 'Object', of: 'string', cell: (event) => objectName(at(event, 'involvedObject') ?? at(event, 'regarding')) },
  wide(
    column(
      'Subobject',
      (event) => text(at(event, 'involvedObject', 'fieldPath') ?? at(event, 'regarding', 'fieldPath')) ?? '',
    ),
  ),
  wide({ name: 'Source', of: 'string', cell: eventSource }),
  {
    name: 'Message',
    of: 'string',
    cell: (event) => (text(at(event, 'message')) ?? text(at(event, 'note')) ?? '').trim(),
  },
  wide({ name: 'First Seen', of: 'string', cell: (event, nowMs) => ageText(firstSeen(event), nowMs) }),
  wide({ name: 'Count', of: 'string', cell: (event) => at(event, 'series', 'count') ?? eventCount(event) }),
  { ...wide(textColumn('Name', ['metadata', 'name'])), format: 'name' },
];

const bindingColumns: readonly ComputedColumn[] = [
  {
    name: 'Role',
    of: 'string',
    cell: (binding) => `${text(at(binding, 'roleRef', 'kind')) ?? ''}/${text(at(binding, 'roleRef', 'name')) ?? ''}`,
  },
  AGE_COLUMN,
  wide(subjects('Users', 'User')),
  wide(subjects('Groups', 'Group')),
  wide(subjects('ServiceAccounts', 'ServiceAccount')),
];

const TABLES: { readonly [kind: string]: readonly ComputedColumn[] } = {
  ...CLUSTER_TABLES,
  ...WORKLOAD_TABLES,
  '/ConfigMap': [data, AGE_COLUMN],
  '/Event': eventColumns,
  '/Namespace': [textColumn('Status', ['status', 'phase']), AGE_COLUMN],
  '/Secret': [textColumn('Type', ['type']), data, AGE_COLUMN],
  '/ServiceAccount': [{ name: 'Secrets', of: 'string', cell: (object) => size(at(object, 'secrets')) }, AGE_COLUMN],
  'apiextensions.k8s.io/CustomResourceDefinition': [CREATED_COLUMN],
  'coordination.k8s.io/Lease': [textColumn('Holder', ['spec', 'holderIdentity']), AGE_COLUMN],
  'events.k8s.io/Event': eventColumns,
  'rbac.authorization.k8s.io/ClusterRole': [CREATED_COLUMN],
  'rbac.authorization.k8s.io/ClusterRoleBinding': bindingColumns,
  'rbac.authorization.k8s.io/Role': [CREATED_COLUMN],
  'rbac.authorization.k8s.io/RoleBinding': bindingColumns,
};

/** How often it was seen; an event without a series and a count was seen once. */
function eventCount(event: JsonObject): Json {
  return at(event, 'count') ?? at(event, 'deprecatedCount') ?? 1;
}

function firstSeen(event: JsonObject): string | undefined {
  return (
    text(at(event, 'firstTimestamp')) ?? text(at(event, 'deprecatedFirstTimestamp')) ?? text(at(event, 'eventTime'))
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
  const reporter = textAt(event, 'reportingComponent') || textAt(event, 'reportingController');
  const component = textAt(source, 'component') || reporter;
  const host = textAt(source, 'host') || textAt(event, 'reportingInstance');
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
