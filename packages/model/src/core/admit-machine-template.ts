import { parseGoDuration } from '@bloomery/wire';
import { asObject } from '../conversion-data.ts';
import type { Json, JsonObject } from '../json.ts';
import type { FieldProblem } from '../kind.ts';
import { compileLabelSelector, type LabelSelector, labelSelectorText } from '../selector/label-selector.ts';
import { ANNOTATIONS, LABELS } from '../well-known.ts';
import { scaledValue } from './int-or-percent.ts';

const VERSION = /^v(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)([-0-9a-zA-Z_.+]*)?$/;
const DURATIONS = ['nodeDrainTimeout', 'nodeVolumeDetachTimeout', 'nodeDeletionTimeout'];
const RANDOM = '{{ .random }}';
const PLACEHOLDERS = /\{\{ \.(cluster\.name|machineSet\.name|random) \}\}/g;
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;

/** Checks before the creation of Machines that a user may switch off by annotation, by upstream's names. */
export const PREFLIGHT_CHECKS = [
  'All',
  'ControlPlaneIsStable',
  'ControlPlaneVersionSkew',
  'KubeadmVersionSkew',
  'KubernetesVersionSkew',
] as const;

/** A refusal of one value, in Kubernetes' words. */
export function invalid(field: string, value: unknown, why: string): FieldProblem {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

/** A problem when an update names another Cluster. */
export function otherCluster(object: JsonObject, old: JsonObject | undefined): readonly FieldProblem[] {
  const nameOf = (o: JsonObject) => asObject(o['spec'])['clusterName'];
  if (old === undefined || nameOf(object) === nameOf(old)) return [];
  const message = 'Forbidden: field is immutable';
  return [{ field: 'spec.clusterName', reason: 'FieldValueForbidden', message }];
}

/** Checks that MachineSet and MachineDeployment share: selector, labels, version, time spans, names, skipped checks. */
export function templateProblems(object: JsonObject): readonly FieldProblem[] {
  const spec = asObject(object['spec']);
  const template = asObject(spec['template']);
  const machineSpec = asObject(template['spec']);
  const version = machineSpec['version'];
  return [
    ...selectorProblems(spec['selector'] as LabelSelector | undefined, asObject(template['metadata'])),
    ...(typeof version === 'string' && !VERSION.test(version)
      ? [invalid('spec.template.spec.version', version, 'must be a valid semantic version')]
      : []),
    ...DURATIONS.flatMap((name) => durationProblems(`spec.template.spec.${name}`, machineSpec[name])),
    ...namingProblems(asObject(spec['machineNamingStrategy'])['template']),
    ...skippedCheckProblems(asObject(asObject(object['metadata'])['annotations'])),
  ];
}

/** A problem when the value is there and no time span as Go writes them. */
export function durationProblems(field: string, value: unknown): readonly FieldProblem[] {
  if (value === undefined || value === null) return [];
  const isSpan = typeof value === 'string' && parseGoDuration(value) !== undefined;
  return isSpan ? [] : [invalid(field, value, 'must be a time span such as 90s, 10m or 1h30m')];
}

/** A problem when the value is there and neither a whole number nor a percentage. */
export function countProblems(field: string, value: unknown): readonly FieldProblem[] {
  if (value === undefined || value === null) return [];
  const isCount = typeof value === 'number' || typeof value === 'string';
  if (isCount && scaledValue(value, 100, 'up') !== undefined) return [];
  return [invalid(field, value, 'must be either an int or a percentage')];
}

/** A problem when a selector cannot be read. */
export function selectorProblem(selector: LabelSelector | undefined): readonly FieldProblem[] {
  const compiled = compileLabelSelector(selector);
  return compiled.ok ? [] : [invalid('spec.selector', selector ?? {}, compiled.problem)];
}

function selectorProblems(selector: LabelSelector | undefined, metadata: JsonObject): readonly FieldProblem[] {
  const compiled = compileLabelSelector(selector);
  if (!compiled.ok) return selectorProblem(selector);
  const labels = asObject(metadata['labels']) as Record<string, string>;
  const labelProblem = compileLabelSelector({ matchLabels: labels });
  if (!labelProblem.ok) return [invalid('spec.template.metadata.labels', labels, labelProblem.problem)];
  if (compiled.matches(labels)) return [];
  const why = `must match spec.selector ${JSON.stringify(labelSelectorText(selector))}`;
  return [invalid('spec.template.metadata.labels', labels, why)];
}

function namingProblems(template: unknown): readonly FieldProblem[] {
  if (typeof template !== 'string') return [];
  const field = 'spec.machineNamingStrategy.template';
  if (!template.includes(RANDOM)) return [invalid(field, template, `invalid template, ${RANDOM} is missing`)];
  const sample = template.replaceAll(PLACEHOLDERS, 'x');
  if (OBJECT_NAME.test(sample)) return [];
  return [invalid(field, template, 'invalid template, generated names would not be valid Kubernetes object names')];
}

function skippedCheckProblems(annotations: JsonObject): readonly FieldProblem[] {
  const text = annotations[ANNOTATIONS.skipPreflightChecks];
  if (typeof text !== 'string' || text === '') return [];
  const known: readonly string[] = PREFLIGHT_CHECKS;
  const wrong = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => !known.includes(name));
  if (wrong.length === 0) return [];
  const field = `metadata.annotations.${ANNOTATIONS.skipPreflightChecks}`;
  return [invalid(field, wrong, `skipped preflight check(s) must be among: [${known.join(' ')}]`)];
}

/** What both kinds have in common to be completed: the label of the cluster, the selector, the template. */
export function withTemplateDefaults(
  object: JsonObject,
  own: { readonly nameLabel: string; readonly nameValue: string; readonly selectsCluster: boolean },
  old: JsonObject | undefined,
): JsonObject {
  const { metadata, spec } = object;
  if (spec === undefined) return object;
  const meta = asObject(metadata);
  const given = asObject(spec);
  const clusterName = given['clusterName'];
  const clusterLabel = typeof clusterName === 'string' ? { [LABELS.clusterName]: clusterName } : {};
  const { matchLabels, ...selector } = asObject(given['selector']);
  const expressions = selector['matchExpressions'];
  const isEmpty =
    Object.keys(asObject(matchLabels)).length === 0 && !(Array.isArray(expressions) && expressions.length > 0);
  const extra = {
    ...(isEmpty ? { [own.nameLabel]: own.nameValue } : {}),
    ...(own.selectsCluster ? clusterLabel : {}),
  };
  const template = asObject(given['template']);
  const templateMeta = asObject(template['metadata']);
  return {
    ...object,
    metadata: { ...meta, labels: { ...asObject(meta['labels']), ...clusterLabel } },
    spec: {
      ...given,
      replicas: given['replicas'] ?? defaultSize(asObject(meta['annotations']), asObject(old?.['spec'])['replicas']),
      selector: { ...selector, matchLabels: { ...asObject(matchLabels), ...extra } },
      template: {
        ...template,
        metadata: { ...templateMeta, labels: { ...asObject(templateMeta['labels']), ...extra } },
        ...(template['spec'] === undefined
          ? {}
          : { spec: withMachineDefaults(asObject(template['spec']), meta['namespace']) }),
      },
    },
  };
}

/** Without a number an autoscaler gets what there was, within its bounds, or its smallest size; else 1. */
function defaultSize(annotations: JsonObject, before: Json | undefined): number {
  const bounds = [ANNOTATIONS.autoscalerMinSize, ANNOTATIONS.autoscalerMaxSize].map((name) => annotations[name]);
  const [least, most] = bounds.map((text) =>
    typeof text === 'string' && /^\d{1,6}$/.test(text) ? Number(text) : undefined,
  );
  if (least === undefined || most === undefined) return 1;
  return typeof before === 'number' ? Math.min(most, Math.max(least, before)) : least;
}

function withMachineDefaults(spec: JsonObject, namespace: JsonObject[string]): JsonObject {
  const { version, bootstrap, infrastructureRef } = spec;
  const inNamespace = (ref: JsonObject): JsonObject =>
    namespace === undefined || ref['namespace'] ? ref : { ...ref, namespace };
  const configRef = asObject(bootstrap)['configRef'];
  return {
    ...spec,
    ...(typeof version === 'string' && version !== '' && !version.startsWith('v') ? { version: `v${version}` } : {}),
    ...(configRef === undefined
      ? {}
      : { bootstrap: { ...asObject(bootstrap), configRef: inNamespace(asObject(configRef)) } }),
    ...(infrastructureRef === undefined ? {} : { infrastructureRef: inNamespace(asObject(infrastructureRef)) }),
  };
}
