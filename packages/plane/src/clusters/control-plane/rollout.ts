import { createHash } from 'node:crypto';
import type { Json, JsonObject, TalosConfig, TalosControlPlane } from '@bloomery/model';
import { ANNOTATIONS, isJsonObject, jsonEqual } from '@bloomery/model';
import { CLONED_FROM_GROUP_KIND, CLONED_FROM_NAME } from '../contract/clone-template.ts';
import type { ControlPlaneMachine } from './observation.ts';

/** How machines that differ from the spec are changed. */
export interface RolloutStrategy {
  readonly type: 'RollingUpdate' | 'OnDelete' | 'InPlace';
  /** Machines above `replicas` during a rollout; 0: one is removed first. */
  readonly maxSurge: number;
}

/** In what a machine differs from the spec of its control plane. */
export type Difference = 'version' | 'template' | 'config';

/** The strategy of a control plane. RollingUpdate with a surge of 1 unless given. */
export function strategyOf({ spec }: TalosControlPlane): RolloutStrategy {
  const { type, rollingUpdate } = spec?.rolloutStrategy ?? {};
  return {
    type: type === 'OnDelete' || type === 'InPlace' ? type : 'RollingUpdate',
    maxSurge: Math.max(0, rollingUpdate?.maxSurge ?? 1),
  };
}

/** The spec of the TalosConfigs that a control plane makes. */
export function configSpecOf({ spec }: TalosControlPlane): NonNullable<TalosConfig['spec']> | undefined {
  return spec?.controlPlaneConfig.controlplane as NonNullable<TalosConfig['spec']> | undefined;
}

/** Stands for a config spec in an annotation. */
export function configHash(spec: NonNullable<TalosConfig['spec']>): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(plain(spec as unknown as JsonObject))))
    .digest('hex')
    .slice(0, 16);
}

/**
 * In what a machine differs from the spec (spec/cluster.md §7 phase 5). What is missing counts as equal: an object that is gone,
 * or one that says not what it was made from, is no reason to replace a running machine. Pure.
 */
export function differencesOf(
  machine: ControlPlaneMachine,
  controlPlane: TalosControlPlane,
  groupKind: string | undefined,
): readonly Difference[] {
  const { spec } = controlPlane;
  const found: Difference[] = [];
  const version = machine.machine.spec?.version;
  if (version !== undefined && version !== spec?.version) found.push('version');
  const made = machine.infrastructure?.object?.metadata.annotations ?? {};
  const [fromName, fromKind] = [made[CLONED_FROM_NAME], made[CLONED_FROM_GROUP_KIND]];
  const otherName = fromName !== undefined && fromName !== spec?.infrastructureTemplate.name;
  const otherKind = fromKind !== undefined && groupKind !== undefined && fromKind !== groupKind;
  if (otherName || otherKind) found.push('template');
  const wanted = configSpecOf(controlPlane);
  if (wanted !== undefined && !hasConfig(machine, wanted)) found.push('config');
  return found;
}

function hasConfig({ machine, config }: ControlPlaneMachine, wanted: NonNullable<TalosConfig['spec']>): boolean {
  const applied = machine.metadata.annotations?.[ANNOTATIONS.appliedConfig];
  if (applied !== undefined) return applied === configHash(wanted);
  return config?.spec === undefined || isSameConfig(config.spec, wanted);
}

/** Whether two config specs mean the same: absent, null and empty are equal. */
export function isSameConfig(a: NonNullable<TalosConfig['spec']>, b: NonNullable<TalosConfig['spec']>): boolean {
  return jsonEqual(plain(a as unknown as JsonObject), plain(b as unknown as JsonObject));
}

/** Top-level fields in a fixed order, without those that are empty; `value: null` of a patch is as good as none. */
function plain(spec: JsonObject): JsonObject {
  const operations = spec['configPatches'];
  const patches = Array.isArray(operations) ? operations.map(withoutNull) : operations;
  const entries = Object.entries({ ...spec, ...(patches === undefined ? {} : { configPatches: patches }) });
  return Object.fromEntries(
    entries.filter(([, value]) => !isEmpty(value)).sort(([a], [b]) => (a < b ? -1 : 1)),
  ) as JsonObject;
}

/** The same value with members in one order, which other writers may change. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sorted(member ?? null)]));
}

function withoutNull(operation: Json): Json {
  if (!isJsonObject(operation)) return operation;
  const { value, ...rest } = operation;
  return value === null || value === undefined ? rest : operation;
}

function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.values(value).every(isEmpty);
}
