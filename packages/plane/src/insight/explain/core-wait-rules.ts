import { type ExplainedObject, objectRef } from './explain-input.ts';

const namespaceFlag = ({ metadata }: ExplainedObject): string =>
  metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`;
const describe = (object: ExplainedObject): string => `bloomery describe ${objectRef(object)}`;
const edit = (object: ExplainedObject): string =>
  `kubectl edit ${object.kind.toLowerCase()} ${object.metadata.name}${namespaceFlag(object)}`;
const annotate = (object: ExplainedObject, annotation: string): string =>
  `kubectl annotate ${object.kind.toLowerCase()} ${object.metadata.name}${namespaceFlag(object)} ${annotation}`;
const bound = (object: ExplainedObject, field: string): string =>
  `kubectl patch ${object.kind.toLowerCase()} ${object.metadata.name}${namespaceFlag(object)} --type merge -p '{"spec":{"${field}":"1s"}}'`;

/** What the waits of Clusters and Machines mean for people. */
export const CORE_WAIT_RULES = {
  WaitingForWorkersToGo: {
    next: 'The control plane goes when the last of them has gone.',
    do: (o: ExplainedObject) => [`kubectl get machines${namespaceFlag(o)}`, describe(o)],
  },
  WaitingForControlPlaneToGo: {
    next: 'The infrastructure goes when the control plane has gone.',
    do: (o: ExplainedObject) => [`kubectl get machines${namespaceFlag(o)}`, describe(o)],
  },
  WaitingForInfrastructureToGo: {
    next: 'It goes on by itself when the infrastructure object has gone; that object says what it waits for.',
    do: (o: ExplainedObject) => [describe(o)],
  },
  WaitingForBootstrapToGo: {
    next: 'It goes on by itself when the bootstrap config has gone; a finalizer holds it.',
    do: (o: ExplainedObject) => [describe(o)],
  },
  WaitingForFinalizers: {
    next: 'It is gone when the finalizers are taken away by whoever set them.',
    do: (o: ExplainedObject) => [
      `kubectl get ${o.kind.toLowerCase()} ${o.metadata.name}${namespaceFlag(o)} -o jsonpath='{.metadata.finalizers}'`,
      edit(o),
    ],
  },
  WaitingForDeleteHook: {
    next: 'It goes on by itself when the annotations of the hooks are taken away by whoever set them.',
    do: (o: ExplainedObject) => [
      `kubectl get machine ${o.metadata.name}${namespaceFlag(o)} -o jsonpath='{.metadata.annotations}'`,
    ],
  },
  DrainingNode: {
    next: 'It is tried again by itself until the pods have gone or the drain timeout has passed.',
    do: (o: ExplainedObject) => [
      describe(o),
      annotate(o, 'machine.cluster.x-k8s.io/exclude-node-draining='),
      bound(o, 'nodeDrainTimeout'),
    ],
  },
  WaitingForVolumeDetach: {
    next: 'It goes on by itself when the volumes are detached or the timeout has passed.',
    do: (o: ExplainedObject) => [
      describe(o),
      annotate(o, 'machine.cluster.x-k8s.io/exclude-wait-for-node-volume-detach='),
      bound(o, 'nodeVolumeDetachTimeout'),
    ],
  },
  DeletingNode: {
    next: 'It is tried again until the timeout for it has passed; then the Node is left behind.',
    do: (o: ExplainedObject) => [describe(o), bound(o, 'nodeDeletionTimeout')],
  },
  StepRefused: {
    next: 'It is tried again by itself, up to a minute apart; what the message names must let it through.',
    do: (o: ExplainedObject) => [
      describe(o),
      'kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations',
    ],
  },
  ReferenceTaken: {
    next: 'Nothing, until the reference names an object that belongs to nobody else.',
    do: (o: ExplainedObject) => [describe(o), edit(o)],
  },
  WaitingForNode: {
    next: 'It goes on by itself when the machine joins the cluster and its Node has the provider id.',
    do: (o: ExplainedObject) => [describe(o), `bloomery logs ${objectRef(o)}`],
  },
  NodeUnhealthy: {
    next: 'It goes on by itself when the Node is healthy again. A MachineHealthCheck can have the machine replaced.',
    do: (o: ExplainedObject) => [describe(o), `bloomery logs ${objectRef(o)}`],
  },
  MachineFailed: {
    next: 'Nothing by itself, unless a MachineHealthCheck has the machine replaced.',
    do: (o: ExplainedObject) => [
      describe(o),
      `kubectl delete ${o.kind.toLowerCase()} ${o.metadata.name}${namespaceFlag(o)}`,
    ],
  },
  MachineUnhealthy: {
    next: 'Its MachineSet or control plane replaces it when enough other machines are healthy.',
    do: (o: ExplainedObject) => [describe(o), `kubectl get machinehealthchecks${namespaceFlag(o)}`],
  },
} as const;
