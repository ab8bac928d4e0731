import { ANNOTATIONS, type WaitReason } from '@bloomery/model';
import { BOOTSTRAP_WAIT_RULES } from './bootstrap-wait-rules.ts';
import { CONTROL_PLANE_WAIT_RULES } from './control-plane-wait-rules.ts';
import { CORE_WAIT_RULES } from './core-wait-rules.ts';
import { type ExplainedObject, objectRef } from './explain-input.ts';
import { MACHINE_SET_WAIT_RULES } from './machine-set-wait-rules.ts';

/** What a wait means for people: the cause is the reason's own description and the condition's message. */
export interface WaitRule {
  /** What happens by itself. */
  readonly next: string;
  /** Commands for whoever does not want to wait. */
  readonly do: (object: ExplainedObject) => readonly string[];
}

const look = (object: ExplainedObject): string => `bloomery timeline ${objectRef(object)}`;
const describe = (object: ExplainedObject): string => `bloomery describe ${objectRef(object)}`;
const edit = (object: ExplainedObject): string =>
  `kubectl edit ${object.kind.toLowerCase()} ${object.metadata.name}${namespaceFlag(object)}`;

function namespaceFlag({ metadata }: ExplainedObject): string {
  return metadata.namespace === undefined ? '' : ` -n ${metadata.namespace}`;
}

/** One rule for each reason to wait: a reason without one does not compile. */
export const WAIT_RULES: Readonly<Record<WaitReason, WaitRule>> = {
  ...BOOTSTRAP_WAIT_RULES,
  ...CONTROL_PLANE_WAIT_RULES,
  ...CORE_WAIT_RULES,
  ...MACHINE_SET_WAIT_RULES,
  WaitingForAccept: {
    next: 'Nothing, until somebody accepts the machine. It is not written to, powered or wiped before that.',
    do: (o) => [`bloomery accept ${o.metadata.name}`, 'bloomery serve --auto-accept-servers'],
  },
  Wiping: {
    next: 'The agent reports the end of the wipe and the Server becomes clean; without a sign of life it is booted again.',
    do: (o) => [look(o)],
  },
  WaitingForAgent: {
    next: 'The machine is powered towards the network again when the reboot timeout passes.',
    do: (o) => [`${look(o)} --source boot,agent`, `bloomery power cycle ${o.metadata.name} --pxe`],
  },
  Paused: {
    next: 'Nothing, until the pause is lifted.',
    do: (o) => [
      `kubectl annotate ${o.kind.toLowerCase()} ${o.metadata.name}${namespaceFlag(o)} ${ANNOTATIONS.capiPaused}- ${ANNOTATIONS.pause}-`,
      describe(o),
    ],
  },
  WaitingForMachine: {
    next: 'It goes on by itself when a Machine names this MetalMachine in spec.infrastructureRef.',
    do: (o) => [`kubectl get machines${namespaceFlag(o)}`, describe(o)],
  },
  WaitingForCluster: {
    next: 'It goes on by itself when the Cluster exists and owns the object.',
    do: (o) => [`kubectl get clusters${namespaceFlag(o)}`, describe(o)],
  },
  WaitingForClusterInfrastructure: {
    next: "It goes on by itself when the Cluster's infrastructure is ready.",
    do: (o) => [`kubectl get metalclusters${namespaceFlag(o)}`, describe(o)],
  },
  WaitingForBootstrapData: {
    next: 'It goes on by itself when the TalosConfig of the Machine has produced its data.',
    do: (o) => [`kubectl get talosconfigs${namespaceFlag(o)}`, describe(o)],
  },
  WaitingForInfrastructure: {
    next: 'It goes on by itself when the infrastructure object is ready.',
    do: (o) => [`kubectl get metalmachines,metalclusters${namespaceFlag(o)}`, describe(o)],
  },
  WaitingForDependents: {
    next: 'The deletion ends by itself when they are gone.',
    do: (o) => [describe(o)],
  },
  NoServerReference: {
    next: 'Nothing, until the MetalMachine names one of them.',
    do: (o) => [edit(o)],
  },
  ServerClassMissing: {
    next: 'It goes on by itself when the ServerClass is created.',
    do: () => ['kubectl get serverclasses'],
  },
  ServerClassBroken: {
    next: 'It goes on by itself when the selector is mended.',
    do: () => ['kubectl get serverclasses -o wide', 'kubectl edit serverclass NAME'],
  },
  NoServerAvailable: {
    next: 'A Server is taken by itself as soon as one of the class is free, accepted and clean.',
    do: () => ['bloomery get servers', 'bloomery accept --all-unaccepted', 'kubectl get serverclasses -o wide'],
  },
  ServerMissing: {
    next: 'It goes on by itself when a machine of that name registers.',
    do: () => ['bloomery get servers'],
  },
  ServerNotAccepted: {
    next: 'It goes on by itself when the Server is accepted and wiped.',
    do: () => ['bloomery get servers', 'bloomery accept SERVER'],
  },
  ServerTaken: {
    next: 'It goes on by itself when the other MetalMachine is deleted.',
    do: () => ['kubectl get serverbindings', 'bloomery get servers -o wide'],
  },
  WaitingForPowerOn: {
    next: 'The machine is powered towards the network by its BMC; without a BMC somebody must switch it on.',
    do: (o) => [`bloomery power status ${o.metadata.name}`, `bloomery power on ${o.metadata.name} --pxe`],
  },
  WaitingForSystem: {
    next: 'It goes on by itself when the operating system fetches its configuration and reports over the link.',
    do: (o) => [`${look(o)} --source boot,config,link`, describe(o)],
  },
  Installing: {
    next: 'The machine reboots from its disk and reports.',
    do: (o) => [`${look(o)} -f`],
  },
  ConfigRefused: {
    next: 'The machine keeps asking for its configuration: mend it and it goes on.',
    do: (o) => [`${look(o)} --source config,talos`, `kubectl get talosconfigs${namespaceFlag(o)} -o yaml`],
  },
  InstallationFailed: {
    next: 'The machine tries again at its next boot from the network.',
    do: (o) => [`${look(o)} --source talos`, describe(o)],
  },
  WaitingForRelease: {
    next: 'The deletion ends by itself when the Server is released.',
    do: (o) => ['kubectl get serverbindings', describe(o)],
  },
  HeldByMetalMachine: {
    next: 'Nothing, until the MetalMachine is deleted: releasing now would wipe a running machine.',
    do: () => ['kubectl get metalmachines -A', 'kubectl delete metalmachine NAME -n NAMESPACE'],
  },
  Protected: {
    next: 'Nothing, until the protection is lifted.',
    do: (o) => [`kubectl annotate server ${o.metadata.name} ${ANNOTATIONS.protect}-`],
  },
  WaitingForControlPlane: {
    next: 'It goes on by itself when the first control plane machine of the cluster is initialised.',
    do: (o) => [`bloomery get machines${namespaceFlag(o)}`, describe(o)],
  },
  WaitingForNetworkBoot: {
    next: 'It goes on by itself at the next network boot of the machine.',
    do: (o) => ['switch the machine on, or restart it, by hand', `${look(o)} -f`],
  },
  PowerUnknown: {
    next: 'The BMC is asked again by itself.',
    do: (o) => [`bloomery power status ${o.metadata.name}`, edit(o)],
  },
  LinkDown: {
    next: 'The machine is Running again by itself with its next packet; nobody restarts or wipes it for this.',
    do: (o) => [
      `bloomery power status ${o.metadata.name}`,
      'bloomery siderolink status',
      `bloomery logs ${o.metadata.name}`,
    ],
  },
  WipeBudgetSpent: {
    next: 'The Server is wiped by itself when the budget of the hour allows it.',
    do: (o) => [describe(o)],
  },
  LoopDetected: {
    next: 'Nothing, until somebody resets the loop: each wipe wears the disks and none led to an allocation.',
    do: (o) => [look(o), `kubectl annotate server ${o.metadata.name} ${ANNOTATIONS.resetLoop}=`],
  },
  BindingVanished: {
    next: 'Nothing, until somebody confirms: the machine may still be a living member of a cluster.',
    do: (o) => ['restore the ServerBinding', `kubectl annotate server ${o.metadata.name} ${ANNOTATIONS.boundTo}-`],
  },
  Arriving: {
    next: 'With its ServerBinding it is in use; if none comes within two minutes and no Cluster is paused, it is wiped as every new Server.',
    do: (o) => [
      'kubectl get clusters -A',
      `kubectl annotate server ${o.metadata.name} ${ANNOTATIONS.protect}=true   # never wiped`,
    ],
  },
  Releasing: {
    next: 'The Server is wiped and becomes available by itself.',
    do: (o) => [look(o)],
  },
  EnvironmentDownloading: {
    next: 'The Environment becomes ready by itself when its files are complete.',
    do: (o) => [describe(o)],
  },
  EnvironmentBroken: {
    next: 'The download is tried again by itself; the files that are there are kept.',
    do: (o) => [describe(o), edit(o)],
  },
};
