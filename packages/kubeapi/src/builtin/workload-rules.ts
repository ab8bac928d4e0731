import {
  type Admission,
  type FieldProblem,
  isJsonObject,
  type Json,
  type JsonObject,
  jsonEqual,
  stringifyJson,
} from '@bloomery/model';
import { changedAt, listAt, objectAt, textAt, valueAt } from '../json-parts.ts';
import { invalid, required } from '../schema/index.ts';
import { podProblems, withPodDefaults } from './pod-rules.ts';

type Admit = (object: JsonObject, old: JsonObject | undefined) => Admission;

/** Say once, when such an object is made, that nothing here acts on it. */
export function keptAsData(plural: string, admit?: Admit): Admit {
  const warning = `${plural} are kept as data here: nothing runs them`;
  return (object, old) => {
    const judged = admit?.(object, old) ?? { problems: [] };
    return old === undefined ? { ...judged, warnings: [...(judged.warnings ?? []), warning] } : judged;
  };
}

const TEMPLATE = ['spec', 'template', 'spec'] as const;

/** Defaults of kinds with a pod template in their spec. */
export function withTemplateDefaults(object: JsonObject): JsonObject {
  return withPodDefaults(object, TEMPLATE);
}

/** Defaults of a Deployment, DaemonSet or StatefulSet: how it rolls depends on its strategy. */
export function withRolloutDefaults(
  field: 'strategy' | 'updateStrategy',
  rollingUpdate: JsonObject,
): (object: JsonObject) => JsonObject {
  return (object) =>
    changedAt(withTemplateDefaults(object), ['spec'], (spec) => {
      const strategy = objectAt(spec, field);
      const type = textAt(strategy, 'type') || 'RollingUpdate';
      if (type !== 'RollingUpdate') return { ...spec, [field]: { ...strategy, type } };
      const rolling = { ...rollingUpdate, ...objectAt(strategy, 'rollingUpdate') };
      return { ...spec, [field]: { ...strategy, type, rollingUpdate: rolling } };
    });
}

/** Checks of Deployments, DaemonSets, StatefulSets and ReplicaSets. */
export function admitSelecting(object: JsonObject, old: JsonObject | undefined): Admission {
  const spec = objectAt(object, 'spec');
  const selector = objectAt(spec, 'selector');
  const labels = objectAt(spec, 'template', 'metadata', 'labels');
  const problems: FieldProblem[] = [];
  if (old !== undefined && !jsonEqual(valueAt(old, 'spec', 'selector'), spec['selector'])) {
    problems.push(invalid('spec.selector', selector, 'field is immutable'));
  }
  if (isJsonObject(spec['selector']))
    problems.push(...selectorProblems(textAt(object, 'kind').toLowerCase(), selector, labels));
  problems.push(...podProblems(valueAt(object, ...TEMPLATE), TEMPLATE.join('.')));
  return { problems };
}

function selectorProblems(kind: string, selector: JsonObject, labels: JsonObject): readonly FieldProblem[] {
  const wanted = Object.entries(objectAt(selector, 'matchLabels'));
  if (wanted.length === 0 && listAt(selector, 'matchExpressions').length === 0) {
    return [invalid('spec.selector', selector, `empty selector is invalid for ${kind}`)];
  }
  if (wanted.every(([key, value]) => labels[key] === value)) return [];
  return [invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')];
}

/** Checks of a ReplicationController, whose selector is a plain map. */
export function admitReplicationController(object: JsonObject): Admission {
  return { problems: podProblems(valueAt(object, ...TEMPLATE), TEMPLATE.join('.')) };
}

/** A ReplicationController without selector selects what its template makes. */
export function withReplicationDefaults(object: JsonObject): JsonObject {
  const labels = objectAt(object, 'spec', 'template', 'metadata', 'labels');
  return changedAt(withTemplateDefaults(withLabelsOfTemplate(object)), ['spec'], (spec) =>
    Object.keys(objectAt(spec, 'selector')).length > 0 ? spec : { ...spec, selector: labels },
  );
}

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';

/** Defaults of a Job: how many, and which pods are its own. */
export function withJobDefaults(job: JsonObject): JsonObject {
  const object = withLabelsOfTemplate(withJobSpec(job));
  return withTemplateDefaults(object);
}

function withLabelsOfTemplate(object: JsonObject): JsonObject {
  const labels = objectAt(object, 'spec', 'template', 'metadata', 'labels');
  const hasOwn = Object.keys(objectAt(object, 'metadata', 'labels')).length > 0;
  if (hasOwn || Object.keys(labels).length === 0) return object;
  return { ...object, metadata: { ...objectAt(object, 'metadata'), labels } };
}

function withJobSpec(object: JsonObject): JsonObject {
  return changedAt(object, ['spec'], (spec) => {
    const { completions, parallelism } = spec;
    const counted =
      completions === undefined && parallelism === undefined
        ? { completions: 1, parallelism: 1 }
        : { parallelism: parallelism ?? 1 };
    const run = {
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: 'podFailurePolicy' in spec ? 'Failed' : 'TerminatingOrFailed',
      ...counted,
      ...spec,
    };
    return spec['manualSelector'] === true ? run : owned(run, objectAt(object, 'metadata'));
  });
}

/** The Job's pods are found by its uid. */
function owned(spec: JsonObject, metadata: JsonObject): JsonObject {
  const uid = textAt(metadata, 'uid');
  const name = textAt(metadata, 'name');
  if (uid === '' || isJsonObject(spec['selector'])) return spec;
  const template = objectAt(spec, 'template');
  const marks = {
    [CONTROLLER_UID]: uid,
    'batch.kubernetes.io/job-name': name,
    'controller-uid': uid,
    'job-name': name,
  };
  const labels = { ...objectAt(template, 'metadata', 'labels'), ...marks };
  return {
    ...spec,
    selector: { matchLabels: { [CONTROLLER_UID]: uid } },
    template: { ...template, metadata: { ...objectAt(template, 'metadata'), labels } },
  };
}

/** Checks of a Job. */
export function admitJob(object: JsonObject, old: JsonObject | undefined): Admission {
  const template = valueAt(object, 'spec', 'template');
  const changed = old !== undefined && !jsonEqual(valueAt(old, 'spec', 'template'), template ?? null);
  return {
    problems: [
      ...podProblems(valueAt(object, ...TEMPLATE), TEMPLATE.join('.')),
      ...restartProblems(template, 'spec.template.spec'),
      ...(changed ? [invalid('spec.template', template ?? null, 'field is immutable')] : []),
    ],
  };
}

/** Checks of a CronJob. */
export function admitCronJob(object: JsonObject): Admission {
  const template = valueAt(object, 'spec', 'jobTemplate', 'spec', 'template');
  const at = 'spec.jobTemplate.spec.template.spec';
  const name = textAt(object, 'metadata', 'name');
  const long = name.length > 52 ? [invalid('metadata.name', name, 'must be no more than 52 characters')] : [];
  return { problems: [...podProblems(valueAt(template, 'spec'), at), ...restartProblems(template, at), ...long] };
}

function restartProblems(template: Json | undefined, at: string): readonly FieldProblem[] {
  const policy = textAt(template, 'spec', 'restartPolicy');
  if (policy === 'Never' || policy === 'OnFailure') return [];
  if (policy === '' || policy === 'Always')
    return [required(`${at}.restartPolicy`, 'valid values: "OnFailure", "Never"')];
  const message = `Unsupported value: ${stringifyJson(policy)}: supported values: "OnFailure", "Never"`;
  return [{ field: `${at}.restartPolicy`, reason: 'FieldValueNotSupported', message }];
}

/** Defaults of a CronJob. */
export function withCronJobDefaults(object: JsonObject): JsonObject {
  return withPodDefaults(object, ['spec', 'jobTemplate', 'spec', 'template', 'spec']);
}
