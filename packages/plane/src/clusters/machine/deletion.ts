import { findCondition, isConditionTrue } from '@bloomery/kube';
import type { Machine } from '@bloomery/model';
import type { ProviderObject } from '../contract/provider-object.ts';
import { type MachineInput, ownSource } from './plan.ts';

/** A Machine that is being deleted, and what its Node depends on. */
export interface MachineDeletionInput extends MachineInput {
  readonly controlPlane: ProviderObject | undefined;
  /** Control plane Machines of the cluster that are not being deleted. */
  readonly livingControlPlanes: number;
}

/** Steps of a deletion that concern the Node and are done once, with the condition that says how each went. */
export const NODE_STEPS = {
  drain: {
    condition: 'DrainingSucceeded',
    running: 'Draining',
    skipped: 'DrainingSkipped',
    startField: 'nodeDrainStartTime',
  },
  detach: {
    condition: 'VolumeDetachSucceeded',
    running: 'WaitingForVolumeDetach',
    skipped: 'VolumeDetachSkipped',
    startField: 'waitForNodeVolumeDetachStartTime',
  },
} as const;

export type NodeStepName = keyof typeof NODE_STEPS;

const HOOKS = {
  preDrain: 'pre-drain.delete.hook.machine.cluster.x-k8s.io',
  preTerminate: 'pre-terminate.delete.hook.machine.cluster.x-k8s.io',
} as const;

/** Annotations that hold the deletion at this point, sorted. */
export function deleteHooks({ metadata }: Machine, point: keyof typeof HOOKS): readonly string[] {
  return Object.keys(metadata.annotations ?? {})
    .filter((name) => name.startsWith(HOOKS[point]))
    .sort();
}

/** Why the Node is left alone; undefined when it is to be drained and deleted (spec/cluster.md §8). */
export function nodeIsLeft(input: MachineDeletionInput): string | undefined {
  const { machine, cluster, controlPlane, livingControlPlanes } = input;
  if (cluster === undefined) return 'the Cluster is gone';
  if (cluster.metadata.deletionTimestamp !== undefined) return 'the Cluster is being deleted';
  if (!machine.status?.nodeRef?.name && input.node.state !== 'found') return 'the Machine has no Node';
  if (controlPlane?.object?.metadata.deletionTimestamp !== undefined) return 'the control plane is being deleted';
  if (controlPlane?.view.isExternallyManaged === true) return undefined;
  return livingControlPlanes === 0 ? 'no other control plane Machine is left' : undefined;
}

/** A step that went through, or was left out, is not done again. */
export function isStepOver(machine: Machine, name: NodeStepName): boolean {
  const { condition, skipped } = NODE_STEPS[name];
  const { conditions } = machine.status ?? {};
  return isConditionTrue(conditions, condition) || findCondition(conditions, condition)?.reason === skipped;
}

/**
 * When the step began; now, when it begins. Once the drain was left out the volumes count from its start: a dead workload API is
 * waited for once.
 */
export function stepStartMs(machine: Machine, name: NodeStepName, nowMs: number): number {
  const { conditions, deletion = {} } = machine.status ?? {};
  const own = startOf(deletion[NODE_STEPS[name].startField]);
  if (own !== undefined || name === 'drain') return own ?? nowMs;
  const { condition, skipped, startField } = NODE_STEPS.drain;
  const wasSkipped = findCondition(conditions, condition)?.reason === skipped;
  return (wasSkipped ? startOf(deletion[startField]) : undefined) ?? nowMs;
}

function startOf(text: unknown): number | undefined {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** The object of the Machine that is still there and goes next: the infrastructure, then the bootstrap config. */
export function nextToGo(
  input: MachineInput,
): { readonly part: 'infrastructure' | 'bootstrap'; readonly source: ProviderObject } | undefined {
  for (const part of ['infrastructure', 'bootstrap'] as const) {
    const source = ownSource(input[part], input.machine);
    if (source?.object !== undefined && source.kind !== undefined) return { part, source };
  }
  return undefined;
}
