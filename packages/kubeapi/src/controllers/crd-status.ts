import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import { items, record, text } from '../json-parts.ts';
import { approvalOf, isProtectedGroup, versionsOf } from '../registry/crd/index.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resource } from '../registry/resource.ts';

/** Why the names of a CustomResourceDefinition cannot be taken. */
export interface NamesConflict {
  /** Condition reason: `PluralConflict`, `KindConflict`, … */
  readonly reason: string;
  readonly message: string;
}

/**
 * Whether other resources of the group have one of the names already. `own`: it is served by this definition itself. Plural,
 * singular and short names share one space, kinds and list kinds another.
 */
export function namesConflict(registry: Registry, crd: ApiObject, own: boolean): NamesConflict | undefined {
  const spec = record(crd['spec']);
  const names = record(spec['names']);
  const taken = takenNames(registry, text(spec['group']), crd.metadata.name, own);
  const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`;
  let conflict: NamesConflict | undefined;
  // Of several conflicts the last one is told, as kube-apiserver does.
  for (const [reason, member] of [
    ['Plural', 'plural'],
    ['Singular', 'singular'],
  ] as const) {
    const name = text(names[member]);
    if (taken.resources.has(name)) conflict = { reason: `${reason}Conflict`, message: inUse(name) };
  }
  const short = items(names['shortNames'])
    .map(text)
    .filter((name) => taken.resources.has(name));
  if (short.length > 0) {
    const list = short.map(inUse);
    conflict = { reason: 'ShortNamesConflict', message: list.length === 1 ? list.join('') : `[${list.join(', ')}]` };
  }
  for (const [reason, member] of [
    ['Kind', 'kind'],
    ['ListKind', 'listKind'],
  ] as const) {
    const name = text(names[member]);
    if (taken.kinds.has(name)) conflict = { reason: `${reason}Conflict`, message: inUse(name) };
  }
  return conflict;
}

interface TakenNames {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

function takenNames(registry: Registry, group: string, id: string, own: boolean): TakenNames {
  const others: readonly Resource[] = registry.all().filter((r) => r.group === group && (r.id !== id || !own));
  return {
    resources: new Set(others.flatMap(({ storage: s }) => [s.plural, s.singular, ...s.shortNames])),
    kinds: new Set(others.flatMap(({ storage }) => [storage.kind, storage.listKind])),
  };
}

/** What the status of a definition depends on besides the definition. */
export interface CrdSituation {
  readonly conflict: NamesConflict | undefined;
  /** The kind is one of the product's, and what is written here differs from how it is served. */
  readonly overridden: boolean;
  /** Its objects are gone: only foreign finalizers hold it. */
  readonly emptied: boolean;
}

/** The status of a definition: conditions, accepted names, and every version that objects were ever stored in. */
export function crdStatus(crd: ApiObject, situation: CrdSituation, time: string): JsonObject {
  const { conflict } = situation;
  const spec = record(crd['spec']);
  const before = record(crd['status']);
  const conditions = [
    ...nameConditions(conflict),
    ...approvalConditions(crd, text(spec['group'])),
    ...(situation.overridden ? [OVERRIDDEN] : []),
    ...(crd.metadata.deletionTimestamp === undefined ? [] : [situation.emptied ? EMPTIED : EMPTYING]),
  ];
  return {
    ...before,
    conditions: conditionsOf(conditions, before['conditions'], time),
    acceptedNames: conflict === undefined ? (spec['names'] ?? {}) : { plural: '', kind: '' },
    storedVersions: storedVersions(spec, before),
  };
}

type Condition = readonly [type: string, isTrue: boolean, reason: string, message: string];

const EMPTYING: Condition = [
  'Terminating',
  true,
  'InstanceDeletionInProgress',
  'CustomResource deletion is in progress',
];
const EMPTIED: Condition = ['Terminating', false, 'InstanceDeletionCompleted', 'removed all instances'];
const OVERRIDDEN: Condition = [
  'Overridden',
  true,
  'BuiltInKind',
  'bloomery brings this kind itself and serves its own versions, schemas and conversions; what is written here is kept and has no effect',
];

function nameConditions(conflict: NamesConflict | undefined): readonly Condition[] {
  if (conflict !== undefined) {
    return [
      ['NamesAccepted', false, conflict.reason, conflict.message],
      ['Established', false, 'NotAccepted', 'not all names are accepted'],
    ];
  }
  return [
    ['NamesAccepted', true, 'NoConflicts', 'no conflicts found'],
    ['Established', true, 'InitialNamesAccepted', 'the initial names have been accepted'],
  ];
}

function approvalConditions(crd: ApiObject, group: string): readonly Condition[] {
  if (!isProtectedGroup(group)) return [];
  const type = 'KubernetesAPIApprovalPolicyConformant';
  const approval = crd.metadata.annotations?.['api-approved.kubernetes.io'] ?? '';
  switch (approvalOf(crd)) {
    case 'approved':
      return [[type, true, 'ApprovedAnnotation', `approved in ${approval}`]];
    case 'bypassed':
      return [[type, false, 'UnapprovedAnnotation', `not approved: ${JSON.stringify(approval)}`]];
    case 'missing':
      return [[type, false, 'MissingAnnotation', APPROVAL_MISSING]];
    default:
      return [[type, false, 'InvalidAnnotation', `${APPROVAL_MISSING}: ${JSON.stringify(approval)}`]];
  }
}

const APPROVAL_MISSING =
  'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111';

function conditionsOf(conditions: readonly Condition[], before: Json | undefined, time: string): readonly JsonObject[] {
  const old = items(before).filter(isJsonObject);
  return conditions.map(([type, isTrue, reason, message]) => {
    const status = isTrue ? 'True' : 'False';
    const known = old.find((c) => c['type'] === type && c['status'] === status);
    return { type, status, lastTransitionTime: known?.['lastTransitionTime'] ?? time, reason, message };
  });
}

function storedVersions(spec: JsonObject, status: JsonObject): readonly Json[] {
  const storage = versionsOf(spec).find((version) => version['storage'] === true)?.['name'] ?? '';
  const stored = items(status['storedVersions']);
  return stored.includes(storage) ? stored : [...stored, storage];
}
