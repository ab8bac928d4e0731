import { ANNOTATIONS } from '@bloomery/model';
import { type ExplainedObject, objectRef } from './explain-input.ts';

const namespaceFlag = ({ metadata }: ExplainedObject): string =>
  metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`;
const describe = (object: ExplainedObject): string => `bloomery describe ${objectRef(object)}`;
const machines = (object: ExplainedObject): string =>
  `kubectl get machines${namespaceFlag(object)} -l cluster.x-k8s.io/control-plane`;
const annotate = (object: ExplainedObject, change: string): string =>
  `kubectl annotate taloscontrolplane ${object.metadata.name}${namespaceFlag(object)} ${change}`;

/** What the waits of a control plane mean for people. */
export const CONTROL_PLANE_WAIT_RULES = {
  WaitingForTemplate: {
    next: 'It goes on by itself when the template exists.',
    do: (o: ExplainedObject) => [`kubectl get ${o.kind.toLowerCase()} ${o.metadata.name}${namespaceFlag(o)} -o yaml`],
  },
  WaitingForFirstMachine: {
    next: 'The first machine that answers the Talos API is bootstrapped; the others join it.',
    do: (o: ExplainedObject) => [machines(o), describe(o)],
  },
  BootstrapUnknown: {
    next: 'The machine is asked again until it answers. No other is bootstrapped meanwhile.',
    do: (o: ExplainedObject) => [
      machines(o),
      'kubectl delete machine NAME',
      annotate(o, `${ANNOTATIONS.bootstrapChoice}-`),
    ],
  },
  WaitingForEtcdMember: {
    next: 'It goes on by itself when the machine is a healthy member of etcd.',
    do: (o: ExplainedObject) => [machines(o), describe(o)],
  },
  WaitingForEtcd: {
    next: 'The machines are asked again by themselves, at first after half a second.',
    do: (o: ExplainedObject) => [describe(o), 'talosctl etcd members'],
  },
  EtcdQuorumAtRisk: {
    next: 'The member goes when enough others are healthy, or a new one has joined.',
    do: (o: ExplainedObject) => [describe(o), 'talosctl etcd status'],
  },
  EtcdQuorumLost: {
    next: 'It goes on by itself when a majority of the members is healthy again.',
    do: (o: ExplainedObject) => [describe(o), 'talosctl etcd status', 'talosctl bootstrap --recover-from SNAPSHOT'],
  },
  LeavingEtcd: {
    next: 'It goes on by itself, step by step.',
    do: (o: ExplainedObject) => [machines(o), describe(o)],
  },
  RollingOut: {
    next: 'Machines are replaced one after the other; the next follows when the last is a healthy member of etcd.',
    do: (o: ExplainedObject) => [machines(o), describe(o)],
  },
  LastMember: {
    next: 'It goes when another machine of the control plane is a healthy member of etcd.',
    do: (o: ExplainedObject) => [
      `kubectl scale taloscontrolplane ${o.metadata.name}${namespaceFlag(o)} --replicas 3`,
      describe(o),
    ],
  },
  ReplicasZero: {
    next: 'Nothing, until spec.replicas is above 0.',
    do: (o: ExplainedObject) => [`kubectl scale taloscontrolplane ${o.metadata.name}${namespaceFlag(o)} --replicas 1`],
  },
  ControlPlaneHeld: {
    next: 'The machines go when the Cluster is deleted.',
    do: (o: ExplainedObject) => [
      `kubectl get clusters${namespaceFlag(o)}`,
      annotate(o, `${ANNOTATIONS.deleteControlPlane}=true`),
    ],
  },
  WaitingForNodes: {
    next: 'It goes on by itself when the Nodes are ready.',
    do: (o: ExplainedObject) => [describe(o), machines(o)],
  },
} as const;
