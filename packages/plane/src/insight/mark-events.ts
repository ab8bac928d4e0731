import type { EventDraft, EventRecorder } from '@bloomery/kube';
import {
  cluster,
  type KubeObject,
  machine,
  machineDeployment,
  machineHealthCheck,
  machineSet,
  metalCluster,
  talosConfig,
  talosControlPlane,
} from '@bloomery/model';
import { clusterNameOf } from './explain/cluster-parts.ts';
import type { TimelineRecorder, TimelineSubject } from './timeline.ts';

/** Kinds whose Events are all that there is to tell, and their stage; MetalMachines and Servers leave marks of their own. */
const STAGES: ReadonlyMap<string, string> = new Map([
  [cluster.kind, 'Cluster'],
  [metalCluster.kind, 'Cluster'],
  [talosControlPlane.kind, 'ControlPlane'],
  [machineDeployment.kind, 'Workers'],
  [machineSet.kind, 'Workers'],
  [machineHealthCheck.kind, 'Health'],
  [machine.kind, 'Machine'],
  [talosConfig.kind, 'Bootstrap'],
]);

/** An EventRecorder that leaves a mark on the timeline of the Cluster for each Event about an object of a Cluster. */
export function markEvents(events: EventRecorder, timeline: TimelineRecorder): EventRecorder {
  return {
    record: (about, event) => {
      events.record(about, event);
      const stage = STAGES.get(about.kind);
      if (stage !== undefined) mark(about, stage, event, timeline);
    },
  };
}

function mark(
  object: KubeObject,
  stage: string,
  { type, reason, message }: EventDraft,
  timeline: TimelineRecorder,
): void {
  const { name, namespace = 'default' } = object.metadata;
  const owner = clusterNameOf(object);
  const member =
    object.kind === machine.kind
      ? name
      : object.metadata.ownerReferences?.find(({ kind }) => kind === machine.kind)?.name;
  const about: TimelineSubject = {
    ...(owner === undefined ? {} : { cluster: `${namespace}/${owner}` }),
    ...(member === undefined ? {} : { machine: `${namespace}/${member}` }),
  };
  if (Object.keys(about).length === 0) return;
  timeline.record({
    source: 'capi',
    about,
    stage,
    severity: type === 'Warning' ? 'warning' : 'info',
    event: reason,
    summary: `${object.kind}/${name}: ${message}`,
  });
}
