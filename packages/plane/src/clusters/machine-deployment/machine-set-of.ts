import type { Json, JsonObject, MachineDeployment, MachineSet } from '@bloomery/model';
import {
  ANNOTATIONS,
  apiVersionOf,
  CONVERSION_DATA,
  isJsonObject,
  jsonEqual,
  LABELS,
  machineSet,
} from '@bloomery/model';
import { controllerReference } from '../contract/owner-reference.ts';
import { propagationPatch } from '../contract/propagate.ts';
import type { RolloutLimits } from './roll.ts';

/** Field manager of all that a MachineDeployment writes to its sets; upstream's. */
export const MACHINE_DEPLOYMENT_MANAGER = 'capi-machinedeployment';

/** Annotations of the MachineDeployment that are not its sets'. */
const OWN_ANNOTATIONS: readonly string[] = [
  'kubectl.kubernetes.io/last-applied-configuration',
  CONVERSION_DATA,
  ANNOTATIONS.capiPaused,
  ANNOTATIONS.pause,
  ANNOTATIONS.revision,
  ANNOTATIONS.revisionHistory,
  ANNOTATIONS.desiredReplicas,
  ANNOTATIONS.maxReplicas,
  ANNOTATIONS.disableMachineCreate,
];

/** A new set for the present template. */
export function machineSetOf(
  deployment: MachineDeployment,
  made: { readonly hash: string; readonly replicas: number; readonly revision: number; readonly limits: RolloutLimits },
): MachineSet {
  const { spec, metadata } = deployment;
  const { namespace = 'default', name } = metadata;
  const hash = { [LABELS.templateHash]: made.hash };
  const template = spec?.template ?? {};
  const labels = { ...template.metadata?.labels, ...hash };
  const annotations = { ...template.metadata?.annotations };
  const fields = definedFields(sharedFields(deployment));
  return {
    apiVersion: apiVersionOf(machineSet),
    kind: machineSet.kind,
    metadata: {
      name: `${name}-${made.hash}`,
      namespace,
      labels: setLabels(deployment, made.hash),
      annotations: { ...setAnnotations(deployment, made.limits), [ANNOTATIONS.revision]: String(made.revision) },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      ...fields,
      clusterName: spec?.clusterName ?? '',
      replicas: made.replicas,
      selector: { ...spec?.selector, matchLabels: { ...spec?.selector.matchLabels, ...hash } },
      template: { ...template, metadata: { ...template.metadata, labels, annotations } },
    },
  };
}

/**
 * The patch that brings what needs no new machines to the set of the present template: labels, annotations, time spans,
 * readiness gates, minReadySeconds, delete policy, names; and its revision, when others came after it.
 */
export function inPlacePatch(
  deployment: MachineDeployment,
  set: MachineSet,
  others: readonly MachineSet[],
  limits: RolloutLimits,
): JsonObject | undefined {
  const hash = set.metadata.labels?.[LABELS.templateHash];
  const template = deployment.spec?.template;
  const wanted = {
    labels: setLabels(deployment, hash),
    annotations: { ...setAnnotations(deployment, limits), ...sizesOf(set), ...revisionAnnotations(set, others) },
    spec: sharedFields(deployment),
  };
  const patch = propagationPatch(set, wanted, MACHINE_DEPLOYMENT_MANAGER);
  const { readinessGates, nodeDrainTimeout, nodeVolumeDetachTimeout, nodeDeletionTimeout } = template?.spec ?? {};
  const spans = { readinessGates, nodeDrainTimeout, nodeVolumeDetachTimeout, nodeDeletionTimeout };
  const labels = { ...template?.metadata?.labels, ...(hash === undefined ? {} : { [LABELS.templateHash]: hash }) };
  const inTemplate = {
    ...nonEmpty('metadata', {
      ...nonEmpty('labels', changes(set.spec?.template?.metadata?.labels ?? {}, labels)),
      ...nonEmpty(
        'annotations',
        changes(set.spec?.template?.metadata?.annotations ?? {}, template?.metadata?.annotations ?? {}),
      ),
    }),
    ...nonEmpty('spec', changes(pick(set.spec?.template?.spec as JsonObject | undefined, Object.keys(spans)), spans)),
  };
  const disabled = set.metadata.annotations?.[ANNOTATIONS.disableMachineCreate] !== undefined;
  const meta = asObject(patch?.['metadata']);
  const metadata = disabled
    ? { ...meta, annotations: { ...asObject(meta['annotations']), [ANNOTATIONS.disableMachineCreate]: null } }
    : meta;
  const spec = { ...asObject(patch?.['spec']), ...nonEmpty('template', inTemplate) };
  const whole = { ...nonEmpty('metadata', metadata), ...nonEmpty('spec', spec) };
  return Object.keys(whole).length === 0 ? undefined : whole;
}

/** The number of the last change of the template; 0 when there was none. */
export function lastRevision(sets: readonly MachineSet[]): number {
  return Math.max(0, ...sets.map(revisionOf));
}

export function revisionOf({ metadata }: MachineSet): number {
  const revision = Number(metadata.annotations?.[ANNOTATIONS.revision]);
  return Number.isSafeInteger(revision) ? revision : 0;
}

/** A set that becomes the present one again gets the next number and remembers the ones before. */
function revisionAnnotations(set: MachineSet, others: readonly MachineSet[]): Readonly<Record<string, string>> {
  const { revision: key, revisionHistory } = ANNOTATIONS;
  const before = set.metadata.annotations?.[revisionHistory];
  const history = before === undefined ? {} : { [revisionHistory]: before };
  const own = revisionOf(set);
  const last = lastRevision(others);
  if (own > last) return { [key]: String(own), ...history };
  const past = own === 0 ? before : [before, String(own)].filter((text) => text !== undefined).join(',');
  return { [key]: String(last + 1), ...(past === undefined ? {} : { [revisionHistory]: past }) };
}

function setLabels({ metadata, spec }: MachineDeployment, hash: string | undefined): Readonly<Record<string, string>> {
  return {
    ...spec?.template.metadata?.labels,
    [LABELS.clusterName]: spec?.clusterName ?? '',
    [LABELS.machineDeployment]: metadata.name,
    ...(hash === undefined ? {} : { [LABELS.templateHash]: hash }),
  };
}

function setAnnotations({ metadata }: MachineDeployment, limits: RolloutLimits): Readonly<Record<string, string>> {
  const given = Object.entries(metadata.annotations ?? {}).filter(([name]) => !OWN_ANNOTATIONS.includes(name));
  return { ...Object.fromEntries(given), ...sizeAnnotations(limits) };
}

/** Only scaling changes what a set remembers of it. */
function sizesOf({ metadata: { annotations = {} } }: MachineSet): Readonly<Record<string, string>> {
  const names: readonly string[] = [ANNOTATIONS.desiredReplicas, ANNOTATIONS.maxReplicas];
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => names.includes(name)));
}

/** What a set remembers of the last scaling. */
export function sizeAnnotations({ replicas, maxSurge }: RolloutLimits): Readonly<Record<string, string>> {
  return { [ANNOTATIONS.desiredReplicas]: String(replicas), [ANNOTATIONS.maxReplicas]: String(replicas + maxSurge) };
}

/** Fields of spec that a set shares with its MachineDeployment. */
function sharedFields({ spec }: MachineDeployment) {
  return {
    minReadySeconds: spec?.minReadySeconds ?? 0,
    deletePolicy: spec?.strategy?.rollingUpdate?.deletePolicy ?? 'Random',
    machineNamingStrategy: spec?.machineNamingStrategy === undefined ? undefined : { ...spec.machineNamingStrategy },
  } as const;
}

function definedFields<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** Members to set and, as null, to take away so that `have` becomes `want`. */
function changes(have: object, want: object): JsonObject {
  const from = have as JsonObject;
  const to = want as JsonObject;
  const patch: Record<string, Json> = {};
  for (const [name, value] of Object.entries(to)) {
    if (value !== undefined && !jsonEqual(from[name], value)) patch[name] = value;
  }
  for (const name of Object.keys(from)) if (to[name] === undefined && from[name] !== undefined) patch[name] = null;
  return patch;
}

function pick(object: JsonObject | undefined, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (object?.[name] === undefined ? [] : [[name, object[name]]])));
}

function nonEmpty(name: string, value: JsonObject): JsonObject {
  return Object.keys(value).length === 0 ? {} : { [name]: value };
}

function asObject(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
