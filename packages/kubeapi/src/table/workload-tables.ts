import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { listAt, textAt } from '../json-parts.ts';
import { ageText, durationText } from './age.ts';
import {
  AGE_COLUMN,
  at,
  type ComputedColumn,
  column,
  countColumn,
  countOf,
  labelsText,
  NONE,
  selectorText,
  size,
  text,
  textColumn,
  UNSET,
  wide,
} from './cells.ts';

/** Columns of pods and of what makes them, as kube-apiserver prints them. */
export const WORKLOAD_TABLES: { readonly [kind: string]: readonly ComputedColumn[] } = {
  '/Pod': [
    column(
      'Ready',
      (pod) => `${statuses(pod).filter((s) => at(s, 'ready') === true).length}/${containers(pod).length}`,
    ),
    column('Status', podStatus),
    column('Restarts', podRestarts),
    AGE_COLUMN,
    wide(textColumn('IP', ['status', 'podIP'], NONE)),
    wide(textColumn('Node', ['spec', 'nodeName'], NONE)),
    wide(textColumn('Nominated Node', ['status', 'nominatedNodeName'], NONE)),
    wide(column('Readiness Gates', readinessGates)),
  ],
  '/PodTemplate': [
    ...images('template', false),
    column('Pod Labels', (object) => labelsText(at(object, 'template', 'metadata', 'labels'))),
  ],
  '/ReplicationController': [
    ...replicaColumns(),
    ...images(),
    wide(column('Selector', (o) => labelsText(at(o, 'spec', 'selector')))),
  ],
  'apps/ControllerRevision': [
    column('Controller', (object) => {
      const owner = listAt(object, 'metadata', 'ownerReferences').find((o) => at(o, 'controller') === true);
      return owner === undefined ? NONE : `${controllerKind(owner)}/${textAt(owner, 'name')}`;
    }),
    countColumn('Revision', ['revision'], 'string'),
    AGE_COLUMN,
  ],
  'apps/DaemonSet': [
    countColumn('Desired', ['status', 'desiredNumberScheduled']),
    countColumn('Current', ['status', 'currentNumberScheduled']),
    countColumn('Ready', ['status', 'numberReady']),
    countColumn('Up-to-date', ['status', 'updatedNumberScheduled']),
    countColumn('Available', ['status', 'numberAvailable']),
    column('Node Selector', (object) => labelsText(at(object, 'spec', 'template', 'spec', 'nodeSelector'))),
    AGE_COLUMN,
    ...images(),
    selector(),
  ],
  'apps/Deployment': [
    column('Ready', (object) => `${countOf(object, 'status', 'readyReplicas')}/${countOf(object, 'spec', 'replicas')}`),
    countColumn('Up-to-date', ['status', 'updatedReplicas'], 'string'),
    countColumn('Available', ['status', 'availableReplicas'], 'string'),
    AGE_COLUMN,
    ...images(),
    selector(),
  ],
  'apps/ReplicaSet': [...replicaColumns(), ...images(), selector()],
  'apps/StatefulSet': [
    column('Ready', (object) => `${countOf(object, 'status', 'readyReplicas')}/${countOf(object, 'spec', 'replicas')}`),
    AGE_COLUMN,
    ...images(),
  ],
  'batch/CronJob': [
    textColumn('Schedule', ['spec', 'schedule']),
    textColumn('Timezone', ['spec', 'timeZone'], NONE),
    // A text in a column of flags, as kube-apiserver has it.
    { name: 'Suspend', of: 'boolean', cell: (object) => (at(object, 'spec', 'suspend') === true ? 'True' : 'False') },
    { name: 'Active', of: 'integer', cell: (object) => size(at(object, 'status', 'active')) },
    column('Last Schedule', (object, nowMs) => {
      const last = text(at(object, 'status', 'lastScheduleTime'));
      return last === undefined ? NONE : ageText(last, nowMs);
    }),
    AGE_COLUMN,
    ...images('spec.jobTemplate.spec.template'),
    wide(column('Selector', (object) => selectorText(at(object, 'spec', 'jobTemplate', 'spec', 'selector')))),
  ],
  'batch/Job': [
    column('Status', jobStatus),
    column('Completions', completions),
    column('Duration', duration),
    AGE_COLUMN,
    ...images(),
    selector(),
  ],
  'autoscaling/HorizontalPodAutoscaler': [
    column(
      'Reference',
      (o) => `${textAt(o, 'spec', 'scaleTargetRef', 'kind')}/${textAt(o, 'spec', 'scaleTargetRef', 'name')}`,
    ),
    column('Targets', targets),
    column('MinPods', (o) =>
      at(o, 'spec', 'minReplicas') === undefined ? UNSET : String(countOf(o, 'spec', 'minReplicas')),
    ),
    countColumn('MaxPods', ['spec', 'maxReplicas'], 'string'),
    countColumn('Replicas', ['status', 'currentReplicas'], 'string'),
    AGE_COLUMN,
  ],
  'policy/PodDisruptionBudget': [
    column('Min Available', (object) => printed(at(object, 'spec', 'minAvailable'))),
    column('Max Unavailable', (object) => printed(at(object, 'spec', 'maxUnavailable'))),
    countColumn('Allowed Disruptions', ['status', 'disruptionsAllowed']),
    AGE_COLUMN,
  ],
  'scheduling.k8s.io/PriorityClass': [
    countColumn('Value', ['value']),
    { name: 'Global-Default', of: 'boolean', cell: (object) => at(object, 'globalDefault') === true },
    AGE_COLUMN,
    textColumn('PreemptionPolicy', ['preemptionPolicy'], 'PreemptLowerPriority'),
  ],
};

function replicaColumns(): readonly ComputedColumn[] {
  return [
    countColumn('Desired', ['spec', 'replicas']),
    countColumn('Current', ['status', 'replicas']),
    countColumn('Ready', ['status', 'readyReplicas']),
    AGE_COLUMN,
  ];
}

function selector(): ComputedColumn {
  return wide(column('Selector', (object) => selectorText(at(object, 'spec', 'selector'))));
}

/** Names and images of the containers of a template. */
function images(template = 'spec.template', isWide = true): readonly ComputedColumn[] {
  const path = [...template.split('.'), 'spec', 'containers'];
  const joined = (field: string) => (object: JsonObject) =>
    listAt(object, ...path)
      .map((container) => textAt(container, field))
      .join(',');
  const columns = [column('Containers', joined('name')), column('Images', joined('image'))];
  return isWide ? columns.map(wide) : columns;
}

function containers(pod: JsonObject): readonly Json[] {
  return listAt(pod, 'spec', 'containers');
}

function statuses(pod: JsonObject): readonly Json[] {
  return listAt(pod, 'status', 'containerStatuses');
}

/** The phase, unless the pod or one of its containers has a reason to be told. */
function podStatus(pod: JsonObject): string {
  if (at(pod, 'metadata', 'deletionTimestamp') !== undefined) {
    return textAt(pod, 'status', 'reason') === 'NodeLost' ? 'Unknown' : 'Terminating';
  }
  const reasons = statuses(pod).map(
    (status) => textAt(status, 'state', 'waiting', 'reason') || textAt(status, 'state', 'terminated', 'reason'),
  );
  const [first] = reasons.filter((reason) => reason !== '');
  return first ?? (textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase'));
}

function podRestarts(pod: JsonObject, nowMs: number): string {
  const count = statuses(pod).reduce<number>((sum, status) => sum + countOf(status, 'restartCount'), 0);
  const ended = statuses(pod)
    .map((status) => textAt(status, 'lastState', 'terminated', 'finishedAt'))
    .filter((time) => time !== '')
    .sort()
    .at(-1);
  return count === 0 || ended === undefined ? String(count) : `${count} (${ageText(ended, nowMs)} ago)`;
}

function readinessGates(pod: JsonObject): string {
  const gates = listAt(pod, 'spec', 'readinessGates').map((gate) => textAt(gate, 'conditionType'));
  if (gates.length === 0) return NONE;
  const met = gates.filter((type) =>
    listAt(pod, 'status', 'conditions').some((c) => at(c, 'type') === type && at(c, 'status') === 'True'),
  );
  return `${met.length}/${gates.length}`;
}

function controllerKind(owner: Json): string {
  const group = textAt(owner, 'apiVersion').split('/').slice(0, -1)[0];
  const kind = textAt(owner, 'kind').toLowerCase();
  return group === undefined ? kind : `${kind}.${group}`;
}

/** What the autoscaler aims at; nothing measures it here. */
function targets(autoscaler: JsonObject): string {
  const shown = listAt(autoscaler, 'spec', 'metrics').map((metric) => {
    const target = at(metric, 'resource', 'target');
    const share = at(target, 'averageUtilization');
    if (share !== undefined) return `${textAt(metric, 'resource', 'name')}: <unknown>/${String(share)}%`;
    return `<unknown>/${String(at(target, 'averageValue') ?? '<auto>')}`;
  });
  return shown.join(', ') || NONE;
}

function jobStatus(job: JsonObject): string {
  const isTrue = (type: string): boolean =>
    listAt(job, 'status', 'conditions').some((c) => at(c, 'type') === type && at(c, 'status') === 'True');
  for (const type of ['Complete', 'Failed'] as const) if (isTrue(type)) return type;
  if (at(job, 'metadata', 'deletionTimestamp') !== undefined) return 'Terminating';
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'] as const) if (isTrue(type)) return type;
  return 'Running';
}

function completions(job: JsonObject): string {
  const done = countOf(job, 'status', 'succeeded');
  const wanted = at(job, 'spec', 'completions');
  if (typeof wanted === 'number') return `${done}/${wanted}`;
  const width = countOf(job, 'spec', 'parallelism');
  return width > 1 ? `${done}/1 of ${width}` : `${done}/1`;
}

function duration(job: JsonObject, nowMs: number): string {
  const start = textAt(job, 'status', 'startTime');
  if (start === '') return '';
  const end = textAt(job, 'status', 'completionTime');
  if (end === '') return ageText(start, nowMs);
  return durationText(Math.trunc((Date.parse(end) - Date.parse(start)) / 1000));
}

function printed(value: Json | undefined): string {
  return value === undefined || isJsonObject(value) ? 'N/A' : String(value);
}
