import { ANNOTATIONS } from '@bloomery/model';
import { type ExplainedObject, objectRef } from './explain-input.ts';

const namespaceFlag = ({ metadata }: ExplainedObject): string =>
  metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`;
const describe = (object: ExplainedObject): string => `bloomery describe ${objectRef(object)}`;
const edit = (object: ExplainedObject): string =>
  `kubectl edit ${object.kind.toLowerCase()} ${object.metadata.name}${namespaceFlag(object)}`;
const machines = (object: ExplainedObject): string => `kubectl get machines${namespaceFlag(object)}`;

/** What the waits of MachineSets, MachineDeployments and MachineHealthChecks mean for people. */
export const MACHINE_SET_WAIT_RULES = {
  WaitingForMachines: {
    next: 'It goes on by itself when the machines are ready, or gone.',
    do: (o: ExplainedObject) => [machines(o), describe(o)],
  },
  MachineRefused: {
    next: 'It is tried again by itself; nothing comes of it before the template is mended.',
    do: (o: ExplainedObject) => [edit(o), describe(o)],
  },
  WaitingForControlPlaneUpgrade: {
    next: 'It goes on by itself when all machines of the control plane have its version.',
    do: (o: ExplainedObject) => [
      `kubectl get taloscontrolplanes${namespaceFlag(o)}`,
      `kubectl annotate ${o.kind.toLowerCase()} ${o.metadata.name}${namespaceFlag(o)} ${ANNOTATIONS.skipPreflightChecks}=ControlPlaneIsStable`,
    ],
  },
  VersionSkew: {
    next: 'It goes on by itself when the control plane has a version that allows that of the machines.',
    do: (o: ExplainedObject) => [edit(o), `kubectl get taloscontrolplanes${namespaceFlag(o)} -o wide`],
  },
  RolloutStalled: {
    next: 'It goes on by itself when the machines that it waits for become ready.',
    do: (o: ExplainedObject) => [machines(o), describe(o), edit(o)],
  },
  TooManyUnhealthy: {
    next: 'Machines are replaced again when fewer are unhealthy.',
    do: (o: ExplainedObject) => [
      machines(o),
      describe(o),
      `kubectl annotate machine NAME${namespaceFlag(o)} ${ANNOTATIONS.skipRemediation}=`,
    ],
  },
  WaitingForWorkloadApi: {
    next: 'It is connected to again by itself; Nodes are judged as soon as it answers.',
    do: (o: ExplainedObject) => [describe(o), `kubectl get clusters${namespaceFlag(o)}`],
  },
} as const;
