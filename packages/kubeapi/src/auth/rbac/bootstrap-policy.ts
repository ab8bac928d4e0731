import { isJsonObject, type JsonObject, jsonEqual } from '@bloomery/model';
import { isBloomeryError } from '@bloomery/ports';
import type { ApiObject } from '../../api-object.ts';
import { records } from '../../json-parts.ts';
import type { WriteRequest } from '../../pipeline/write-request.ts';
import type { Writer } from '../../pipeline/writer.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Store } from '../../store/store.ts';
import { BOOTSTRAP_BINDINGS, BOOTSTRAP_ROLES, type BootstrapBinding, type BootstrapRole } from './bootstrap-roles.ts';
import { readRules, ruleJson } from './policy-rule.ts';
import { RBAC_RESOURCES } from './rbac-index.ts';
import { uncoveredRules } from './rule-coverage.ts';

const GROUP = 'rbac.authorization.k8s.io';
/** An operator sets it to "false" on what shall stay as he made it. */
const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';
const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const ANNOTATIONS = { [AUTOUPDATE]: 'true' };

/** What the bootstrap policy is written with. */
export interface BootstrapDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
}

/**
 * Make the roles and bindings that are always there, at every start: what is missing is put back, what an operator added stays,
 * and what he annotated with `rbac.authorization.kubernetes.io/autoupdate: "false"` is left alone, unless it is gone.
 */
export async function reconcileBootstrapPolicy(deps: BootstrapDeps): Promise<void> {
  await Promise.all([
    ...BOOTSTRAP_ROLES.map((role) =>
      reconcile(deps, RBAC_RESOURCES.clusterRoles, role.name, roleObject(role), mergedRole),
    ),
    ...BOOTSTRAP_BINDINGS.map((binding) =>
      reconcile(deps, RBAC_RESOURCES.clusterRoleBindings, binding.name, bindingObject(binding), mergedBinding),
    ),
  ]);
}

async function reconcile(
  { store, registry, writer }: BootstrapDeps,
  id: string,
  name: string,
  wanted: JsonObject,
  merge: (present: ApiObject, wanted: JsonObject) => JsonObject,
): Promise<void> {
  const resource = registry.byId(id);
  if (resource === undefined) return;
  const request: WriteRequest = {
    resource,
    version: resource.storage,
    namespace: '',
    manager: 'bloomery',
    dryRun: false,
    fieldValidation: 'Ignore',
  };
  const present = store.head({ resource: id, namespace: '', name });
  try {
    if (present === undefined) {
      await writer.create(request, wanted);
      return;
    }
    if (present.metadata.annotations?.[AUTOUPDATE] === 'false') return;
    if (present['roleRef'] !== undefined && !jsonEqual(present['roleRef'], wanted['roleRef'])) {
      // A roleRef cannot be changed.
      await writer.delete({ ...request, name });
      await writer.create(request, wanted);
      return;
    }
    const merged = merge(present, wanted);
    if (!jsonEqual(present, merged)) await writer.update(request, name, merged);
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_ALREADY_EXISTS')) throw error;
  }
}

function roleObject({ name, labels = {}, rules, aggregates }: BootstrapRole): JsonObject {
  const aggregation = { clusterRoleSelectors: [{ matchLabels: { [aggregates ?? '']: 'true' } }] };
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'ClusterRole',
    metadata: { name, labels: { ...LABELS, ...labels }, annotations: ANNOTATIONS },
    rules,
    ...(aggregates === undefined ? {} : { aggregationRule: aggregation }),
  };
}

function bindingObject({ name, subjects }: BootstrapBinding): JsonObject {
  return {
    apiVersion: `${GROUP}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: LABELS, annotations: ANNOTATIONS },
    subjects,
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
  };
}

function mergedRole(present: ApiObject, wanted: JsonObject): JsonObject {
  const rules = Array.isArray(present['rules']) ? present['rules'] : [];
  const missing = uncoveredRules(readRules(present), readRules(wanted)).map(ruleJson);
  const aggregationRule = present['aggregationRule'] ?? wanted['aggregationRule'];
  return {
    ...withBootstrapMeta(present, wanted),
    // Rules of an aggregated role are written by who aggregates them.
    rules: aggregationRule === undefined || aggregationRule === null ? [...rules, ...missing] : rules,
    ...(aggregationRule === undefined ? {} : { aggregationRule }),
  };
}

function mergedBinding(present: ApiObject, wanted: JsonObject): JsonObject {
  const subjects = records(present['subjects']);
  const missing = records(wanted['subjects']).filter((subject) => !subjects.some((s) => jsonEqual(s, subject)));
  return { ...withBootstrapMeta(present, wanted), subjects: [...subjects, ...missing] };
}

function withBootstrapMeta(present: ApiObject, wanted: JsonObject): JsonObject {
  const meta = isJsonObject(wanted['metadata']) ? wanted['metadata'] : {};
  const joined = (field: 'labels' | 'annotations'): JsonObject => {
    const ours = meta[field];
    return { ...(isJsonObject(ours) ? ours : {}), ...present.metadata[field] };
  };
  return {
    ...present,
    metadata: { ...present.metadata, labels: joined('labels'), annotations: joined('annotations') },
  };
}
