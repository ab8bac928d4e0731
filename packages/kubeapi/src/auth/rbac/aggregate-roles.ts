import {
  compileLabelSelector,
  isJsonObject,
  type Json,
  type JsonObject,
  jsonEqual,
  type LabelSelector,
} from '@bloomery/model';
import type { Clock, Logger } from '@bloomery/ports';
import type { ApiObject } from '../../api-object.ts';
import { createKeyedWork } from '../../controllers/keyed-work.ts';
import type { Writer } from '../../pipeline/writer.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Store } from '../../store/store.ts';
import { RBAC_RESOURCES } from './rbac-index.ts';

const ROLES = RBAC_RESOURCES.clusterRoles;
const MANAGER = 'clusterrole-aggregation-controller';

export interface AggregateRolesDeps {
  readonly store: Store;
  readonly registry: Registry;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keeps the rules of every ClusterRole with an aggregationRule: those of all ClusterRoles that it selects, by name. */
export function startRoleAggregation(deps: AggregateRolesDeps): {
  readonly idle: () => Promise<void>;
  readonly stop: () => void;
} {
  const { store, registry, writer } = deps;
  const work = createKeyedWork(deps.log, deps.clock);

  async function visit(name: string): Promise<void> {
    const role = store.head({ resource: ROLES, namespace: '', name });
    const resource = registry.byId(ROLES);
    if (role === undefined || resource === undefined || selectorsOf(role) === undefined) return;
    const rules = aggregatedRules(role, store.list(ROLES));
    if (jsonEqual(role['rules'] ?? [], rules)) return;
    const request = {
      resource,
      version: resource.storage,
      namespace: '',
      manager: MANAGER,
      dryRun: false,
      fieldValidation: 'Ignore',
    } as const;
    await writer.patch(request, name, { type: 'merge', body: { metadata: { uid: role.metadata.uid }, rules } });
  }

  function addAll(): void {
    for (const role of store.list(ROLES)) {
      const { name } = role.metadata;
      if (selectorsOf(role) !== undefined) work.add(name, () => visit(name));
    }
  }
  const unsubscribe = store.subscribe((changes) => {
    if (changes.some(({ id }) => id.resource === ROLES)) addAll();
  });
  addAll();
  return {
    idle: () => work.idle(),
    stop() {
      unsubscribe();
      work.stop();
    },
  };
}

function aggregatedRules(role: ApiObject, roles: readonly ApiObject[]): readonly Json[] {
  const rules: Json[] = [];
  for (const selector of selectorsOf(role) ?? []) {
    // Its shape was checked when the role was written.
    const compiled = compileLabelSelector(selector as LabelSelector);
    for (const other of roles) {
      if (other.metadata.name === role.metadata.name || !compiled.ok || !compiled.matches(other.metadata.labels))
        continue;
      const theirs = Array.isArray(other['rules']) ? other['rules'] : [];
      for (const rule of theirs) if (!rules.some((known) => jsonEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
}

/** Undefined: the role does not aggregate. */
function selectorsOf(role: JsonObject): readonly JsonObject[] | undefined {
  const rule = role['aggregationRule'];
  if (!isJsonObject(rule) || !Array.isArray(rule['clusterRoleSelectors'])) return undefined;
  return rule['clusterRoleSelectors'].filter(isJsonObject);
}
