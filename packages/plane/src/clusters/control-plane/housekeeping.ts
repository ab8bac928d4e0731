import { ANNOTATIONS, type Node, type TalosControlPlane } from '@bloomery/model';
import { controllerOf } from '../contract/owner-reference.ts';
import { type Facts, isDeleting } from './facts.ts';
import type { ControlPlaneMachine } from './observation.ts';
import { isHeld } from './removal.ts';
import { SETTLED, type Step } from './step.ts';

/** Machines own what they should and carry the annotations that hold and protect them. Pure. */
export function planMachineMarks(facts: Facts): Step {
  for (const machine of facts.current) {
    const annotations = wantedAnnotations(facts, machine);
    const isOrphan = controllerOf(machine.machine) === undefined;
    if (Object.keys(annotations).length === 0 && !isOrphan) continue;
    return { action: { do: 'settleMachine', machine: machine.name, annotations } };
  }
  return SETTLED;
}

/** Nodes of machines that are gone, and the owner of the template. The last to be done: nothing else may wait for it. Pure. */
export function planHousekeeping(facts: Facts): Step {
  const { template, machines, nodes, controlPlane, workload } = facts.observation;
  if (template.ok && !template.isClaimed) return { action: { do: 'claimTemplate' } };
  if (workload.state !== 'reachable') return SETTLED;
  const gone = nodes?.find((node) => isLeftOver(node, controlPlane, machines));
  if (gone === undefined) return SETTLED;
  return { action: { do: 'deleteNode', node: gone.metadata.name, machine: machineOfNode(gone) } };
}

function wantedAnnotations(facts: Facts, machine: ControlPlaneMachine): Record<string, string | null> {
  const have = machine.machine.metadata.annotations ?? {};
  return {
    ...(isHeld(machine) || isDeleting(machine.machine) ? {} : { [ANNOTATIONS.preTerminateHook]: '' }),
    ...(facts.bootstrapped && have[ANNOTATIONS.beforeBootstrap] !== undefined
      ? { [ANNOTATIONS.beforeBootstrap]: null }
      : {}),
  };
}

const machineOfNode = ({ metadata }: Node): string => metadata.annotations?.['cluster.x-k8s.io/machine'] ?? '';

/** Cluster API wrote on the Node which Machine it belonged to. A Node that says nothing is left alone. */
function isLeftOver(node: Node, controlPlane: TalosControlPlane, machines: readonly ControlPlaneMachine[]): boolean {
  const { annotations = {}, deletionTimestamp } = node.metadata;
  const { name, namespace } = controlPlane.metadata;
  return (
    deletionTimestamp === undefined &&
    annotations['cluster.x-k8s.io/owner-kind'] === 'TalosControlPlane' &&
    annotations['cluster.x-k8s.io/owner-name'] === name &&
    annotations['cluster.x-k8s.io/cluster-namespace'] === namespace &&
    machineOfNode(node) !== '' &&
    !machines.some((m) => m.name === machineOfNode(node))
  );
}
