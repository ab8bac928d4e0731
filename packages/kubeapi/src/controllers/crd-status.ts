import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import type { ApiObject } from '../api-object.ts';
import type { Registry } from '../registry/registry.ts';

/** Why the names of a CustomResourceDefinition cannot be taken. */
export interface NamesConflict {
  /** Condition reason: `PluralConflict`, `KindConflict`, … */
  readonly reason: string;
  readonly message: string;
}

/** Whether other resources of the group have one of the names already. `own`: it is served by this definition itself. */
export function namesConflict(registry: Registry, crd: ApiObject, own: boolean): NamesConflict | undefined {
  const spec = record(crd['spec']);
  const names = record(spec['names']);
  if (!own && registry.byId(crd.metadata.name) !== undefined) return conflictOf('Plural', String(names['plural']));
  const others = registry.all().filter((r) => r.group === spec['group'] && r.id !== crd.metadata.name);
  for (const { storage, kind } of others) {
    const taken = new Set([storage.plural, storage.singular, ...storage.shortNames]);
    if (kind === names['kind'] || storage.listKind === names['kind']) return conflictOf('Kind', String(names['kind']));
    const short = Array.isArray(names['shortNames']) ? names['shortNames'].map(String) : [];
    for (const name of short) if (taken.has(name)) return conflictOf('ShortNames', name);
    const singular = typeof names['singular'] === 'string' ? names['singular'] : '';
    if (taken.has(singular)) return conflictOf('Singular', singular);
  }
  return undefined;
}

function conflictOf(what: string, name: string): NamesConflict {
  return { reason: `${what}Conflict`, message: `${JSON.stringify(name)} is already in use` };
}

/** The status of a definition: conditions, accepted names, and every version that objects were ever stored in. */
export function crdStatus(crd: ApiObject, conflict: NamesConflict | undefined, time: string): JsonObject {
  const spec = record(crd['spec']);
  const before = record(crd['status']);
  const accepted: readonly Condition[] =
    conflict === undefined
      ? [
          ['NamesAccepted', true, 'NoConflicts', 'no conflicts found'],
          ['Established', true, 'InitialNamesAccepted', 'the initial names have been accepted'],
        ]
      : [
          ['NamesAccepted', false, conflict.reason, conflict.message],
          ['Established', false, 'NotAccepted', 'not all names are accepted'],
        ];
  const dying = crd.metadata.deletionTimestamp !== undefined;
  const terminating: Condition = [
    'Terminating',
    true,
    'InstanceDeletionInProgress',
    'CustomResource deletion is in progress',
  ];
  return {
    ...before,
    conditions: conditionsOf(dying ? [...accepted, terminating] : accepted, before['conditions'], time),
    acceptedNames: conflict === undefined ? (spec['names'] ?? {}) : { plural: '', kind: '' },
    storedVersions: conflict === undefined ? storedVersions(spec, before) : (before['storedVersions'] ?? []),
  };
}

type Condition = readonly [type: string, isTrue: boolean, reason: string, message: string];

function conditionsOf(conditions: readonly Condition[], before: Json | undefined, time: string): readonly JsonObject[] {
  const old = Array.isArray(before) ? before.filter(isJsonObject) : [];
  return conditions.map(([type, isTrue, reason, message]) => {
    const status = isTrue ? 'True' : 'False';
    const known = old.find((c) => c['type'] === type && c['status'] === status);
    return { type, status, lastTransitionTime: known?.['lastTransitionTime'] ?? time, reason, message };
  });
}

function storedVersions(spec: JsonObject, status: JsonObject): readonly Json[] {
  const versions = Array.isArray(spec['versions']) ? spec['versions'].filter(isJsonObject) : [];
  const storage = versions.find((v) => v['storage'] === true)?.['name'] ?? '';
  const stored = Array.isArray(status['storedVersions']) ? status['storedVersions'] : [];
  return stored.includes(storage) ? stored : [...stored, storage];
}

function record(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
