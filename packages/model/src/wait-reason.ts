/**
 * The closed union of reasons why a Server, MetalMachine, Environment, … is not where it should be.
 * `short` is the WAITING-FOR column (at most 40 characters), `doc` explains it in the reference, `normal` waits pass by themselves.
 */
export const WAIT_REASONS = {
  WaitingForAccept: { short: 'accept', normal: true, doc: 'The Server registered and nobody accepted it yet.' },
  Wiping: { short: 'wipe', normal: true, doc: 'The agent is wiping the disks.' },
  WaitingForAgent: {
    short: 'agent to report',
    normal: true,
    doc: 'The machine was powered towards the network and its agent has not reported yet.',
  },
  Paused: {
    short: 'cluster or object to be unpaused',
    normal: true,
    doc: 'The object or its Cluster is paused: its controllers leave it alone.',
  },
  WaitingForMachine: { short: 'owner Machine', normal: true, doc: 'No Machine owns the MetalMachine yet.' },
  WaitingForCluster: {
    short: 'Cluster',
    normal: true,
    doc: 'The Cluster that the object belongs to does not exist or does not own it yet.',
  },
  WaitingForClusterInfrastructure: {
    short: 'cluster infrastructure',
    normal: true,
    doc: 'The infrastructure of the Cluster is not ready.',
  },
  WaitingForBootstrapData: {
    short: 'bootstrap data',
    normal: true,
    doc: 'The Machine has no spec.bootstrap.dataSecretName: its TalosConfig is not ready.',
  },
  BootstrapConfigRefused: {
    short: 'a TalosConfig that can be used',
    normal: false,
    doc: 'The machine config cannot be made from the TalosConfig: a patch, its data or its version is wrong. The message names the field, line and key. Its spec is immutable: replace the TalosConfig, or its template.',
  },
  BootstrapDataLost: {
    short: 'its data Secret to be restored',
    normal: false,
    doc: 'The Secret with the machine config is gone and a machine may run with it: it is not made again by itself. Restore it, delete the Machine, or set bloomery.dev/regenerate-bootstrap-data on the TalosConfig.',
  },
  ClusterSecretsUnusable: {
    short: 'the secrets of the cluster',
    normal: false,
    doc: 'Secret <cluster>-talos is gone although machines run with what it held, or it cannot be used. Nothing is made in its place: restore it from a backup.',
  },
  WaitingForInfrastructure: {
    short: 'infrastructure',
    normal: true,
    doc: 'The infrastructure object is missing or not ready.',
  },
  WaitingForDependents: {
    short: 'dependent objects to go',
    normal: true,
    doc: 'The object is being deleted; what belongs to it is still there.',
  },
  WaitingForWorkersToGo: {
    short: 'workers to go',
    normal: true,
    doc: 'The Cluster is being deleted; its MachineDeployments, MachineSets and worker Machines go first.',
  },
  WaitingForControlPlaneToGo: {
    short: 'control plane to go',
    normal: true,
    doc: 'The Cluster is being deleted; its control plane goes after the workers.',
  },
  WaitingForInfrastructureToGo: {
    short: 'infrastructure to go',
    normal: true,
    doc: 'The Cluster or Machine is being deleted; its infrastructure object is still there and says why.',
  },
  WaitingForBootstrapToGo: {
    short: 'bootstrap config to go',
    normal: true,
    doc: 'The Machine is being deleted; its bootstrap config is still there.',
  },
  WaitingForFinalizers: {
    short: 'finalizers of others to be taken away',
    normal: true,
    doc: 'The Cluster or Machine is being deleted and everything of it is gone; finalizers that others set hold it.',
  },
  WaitingForDeleteHook: {
    short: 'delete hooks to be taken away',
    normal: true,
    doc: 'The Machine is being deleted; annotations pre-drain.delete.hook or pre-terminate.delete.hook hold it. Their owners take them away.',
  },
  DrainingNode: {
    short: 'drain of the node',
    normal: true,
    doc: 'The Machine is being deleted; the pods of its Node are being evicted. spec.nodeDrainTimeout bounds it.',
  },
  WaitingForVolumeDetach: {
    short: 'volumes to be detached',
    normal: true,
    doc: 'The Machine is being deleted; volumes are still attached to its Node. spec.nodeVolumeDetachTimeout bounds it.',
  },
  DeletingNode: {
    short: 'node to be deleted',
    normal: true,
    doc: 'The Machine is being deleted; its Node could not be deleted yet. spec.nodeDeletionTimeout bounds it.',
  },
  StepRefused: {
    short: 'a refused step to be let through',
    normal: false,
    doc: 'Reading, changing or deleting an object that belongs to this one failed: a webhook, a conversion or a permission. It is tried again; the message is the API’s.',
  },
  ReferenceTaken: {
    short: 'an object of its own to refer to',
    normal: false,
    doc: 'The object that a reference names belongs to another Cluster or Machine. Nothing is taken over from it.',
  },
  WaitingForNode: {
    short: 'node to join',
    normal: true,
    doc: 'The Machine has its infrastructure; no Node of the cluster has its provider id yet.',
  },
  NodeUnhealthy: {
    short: 'node to be healthy',
    normal: false,
    doc: 'The Node of the Machine is gone, or its conditions are not as they should be.',
  },
  MachineFailed: {
    short: 'the machine to be replaced',
    normal: false,
    doc: 'The Machine, its bootstrap config or its infrastructure reported a failure that does not pass. Delete the Machine.',
  },
  MachineUnhealthy: {
    short: 'replacement of an unhealthy machine',
    normal: false,
    doc: 'A MachineHealthCheck found the Machine unhealthy; its owner replaces it.',
  },
  WaitingForControlPlane: {
    short: 'control plane',
    normal: true,
    doc: 'The control plane object is missing or not ready.',
  },
  WaitingForTemplate: {
    short: 'machine template to exist',
    normal: false,
    doc: 'The template that machines are to be made from does not exist, or its kind is not served.',
  },
  WaitingForFirstMachine: {
    short: 'first machine to answer',
    normal: true,
    doc: 'No machine of the control plane answers the Talos API yet: etcd is bootstrapped on the first that does.',
  },
  BootstrapUnknown: {
    short: 'outcome of the bootstrap',
    normal: false,
    doc: 'A machine was chosen to bootstrap etcd and does not say whether it did. No other is tried: there would be two clusters. The message says how to release it.',
  },
  WaitingForEtcdMember: {
    short: 'etcd members to join',
    normal: true,
    doc: 'A control plane machine is on its way into the cluster: it boots, installs or joins etcd.',
  },
  WaitingForEtcd: {
    short: 'etcd to answer',
    normal: true,
    doc: 'The members of etcd do not answer, or do not agree about their members at this moment.',
  },
  EtcdQuorumAtRisk: {
    short: 'etcd quorum to allow it',
    normal: false,
    doc: 'A member of etcd is to go, and those that would remain healthy are no majority. It stays until others are healthy.',
  },
  EtcdQuorumLost: {
    short: 'etcd quorum to come back',
    normal: false,
    doc: 'Less than a majority of the members of etcd is healthy: the cluster can change nothing, and neither can its members.',
  },
  LeavingEtcd: {
    short: 'machine to leave etcd',
    normal: true,
    doc: 'A machine of the control plane is being taken out: it hands over leadership, leaves etcd and is deleted.',
  },
  RollingOut: {
    short: 'rollout of machines',
    normal: true,
    doc: 'Machines differ from the spec of their control plane or MachineDeployment and are being replaced or changed.',
  },
  LastMember: {
    short: 'another control plane machine',
    normal: false,
    doc: 'The last machine of the control plane cannot go: the data of etcd would go with it.',
  },
  ReplicasZero: {
    short: 'spec.replicas above 0',
    normal: false,
    doc: 'spec.replicas is 0. No machine is made; machines that are there stay. Delete the Cluster to remove them.',
  },
  ControlPlaneHeld: {
    short: 'Cluster to be deleted',
    normal: false,
    doc: 'The control plane is deleted and its Cluster is not: its machines stay. Delete the Cluster, or confirm by annotation bloomery.dev/delete-control-plane.',
  },
  WaitingForMachines: {
    short: 'machines to be ready',
    normal: true,
    doc: 'Machines of the set are not ready, are still to be made, or are on their way out.',
  },
  MachineRefused: {
    short: 'a machine template that can be used',
    normal: false,
    doc: 'The API refused a machine, or what belongs to it, as the template describes it.',
  },
  WaitingForControlPlaneUpgrade: {
    short: 'control plane upgrade',
    normal: true,
    doc: 'No worker is made while the control plane is being created or upgraded.',
  },
  VersionSkew: {
    short: 'version the control plane allows',
    normal: false,
    doc: 'The Kubernetes version of the machines is newer than that of the control plane, or too old for it.',
  },
  RolloutStalled: {
    short: 'rollout to make progress',
    normal: false,
    doc: 'The rollout made no progress for spec.progressDeadlineSeconds. It goes on by itself when what it waits for comes.',
  },
  TooManyUnhealthy: {
    short: 'fewer unhealthy machines',
    normal: false,
    doc: 'More machines are unhealthy than may be replaced: none is, because something larger is probably broken.',
  },
  WaitingForWorkloadApi: {
    short: "cluster's Kubernetes API",
    normal: false,
    doc: 'The Kubernetes API of the cluster does not answer: Nodes cannot be judged, and no machine is replaced for them.',
  },
  WaitingForNodes: {
    short: 'ready nodes',
    normal: true,
    doc: 'The Kubernetes API of the cluster does not answer, or not all control plane Nodes are ready.',
  },
  NoServerReference: {
    short: 'serverRef or serverClassRef',
    normal: false,
    doc: 'The MetalMachine names neither a Server nor a ServerClass.',
  },
  ServerClassMissing: {
    short: 'server class to exist',
    normal: false,
    doc: 'The ServerClass that the MetalMachine names does not exist.',
  },
  ServerClassBroken: {
    short: 'a valid class selector',
    normal: false,
    doc: 'The selector of the ServerClass cannot be evaluated.',
  },
  NoServerAvailable: {
    short: 'a free, clean server',
    normal: true,
    doc: 'No Server of the class is accepted, clean, free and not cordoned. The counts say what the others lack.',
  },
  ServerMissing: {
    short: 'server to register',
    normal: false,
    doc: 'The Server that the MetalMachine names does not exist.',
  },
  ServerNotAccepted: {
    short: 'server to be accepted',
    normal: false,
    doc: 'The Server that the MetalMachine names is not accepted.',
  },
  ServerTaken: {
    short: 'server to be released',
    normal: false,
    doc: 'The Server that the MetalMachine names is bound to another MetalMachine.',
  },
  WaitingForPowerOn: {
    short: 'power on',
    normal: true,
    doc: 'The Server is allocated and will be powered towards the network.',
  },
  WaitingForSystem: {
    short: 'operating system to report',
    normal: true,
    doc: 'The machine is on; its operating system has not reported yet.',
  },
  Installing: { short: 'installation', normal: true, doc: 'The operating system is being installed.' },
  ConfigRefused: {
    short: 'a valid machine config',
    normal: false,
    doc: 'The operating system refused its machine config; the message is its own.',
  },
  InstallationFailed: {
    short: 'installation to succeed',
    normal: false,
    doc: 'The installation failed; the message is from the machine.',
  },
  WaitingForRelease: {
    short: 'server to be released',
    normal: true,
    doc: 'The MetalMachine is being deleted and its ServerBinding is still there.',
  },
  HeldByMetalMachine: {
    short: 'MetalMachine to be deleted',
    normal: false,
    doc: 'A ServerBinding was deleted while the MetalMachine that it serves lives: releasing would wipe a running machine.',
  },
  Protected: {
    short: 'protection to be lifted',
    normal: false,
    doc: 'The Server carries bloomery.dev/protect: it is neither wiped nor released.',
  },
  WaitingForNetworkBoot: {
    short: 'network boot (no BMC)',
    normal: true,
    doc: 'The machine has no BMC: it goes on by itself at its next network boot; switch it on or restart it by hand.',
  },
  PowerUnknown: {
    short: 'BMC to answer',
    normal: false,
    doc: 'The BMC of the Server cannot be used. The condition BMCReachable says why; it is asked again by itself.',
  },
  LinkDown: {
    short: 'sign of life',
    normal: false,
    doc: 'The installed machine has been silent on the management link for 275 seconds: it is off, hangs, or cannot reach us.',
  },
  WipeBudgetSpent: {
    short: 'wipe budget',
    normal: true,
    doc: 'As many released Servers as the wipe budget allows were wiped in the last hour; the next one follows by itself.',
  },
  LoopDetected: {
    short: 'reset of the wipe loop',
    normal: false,
    doc: 'The Server was wiped three times without an allocation in between. Set bloomery.dev/reset-loop to go on.',
  },
  BindingVanished: {
    short: 'confirmation of the release',
    normal: false,
    doc: 'The ServerBinding went without a release that we saw (pivot, restored backup, deleted CRD). Take bloomery.dev/bound-to away to let the Server be wiped.',
  },
  Arriving: {
    short: 'end of a move',
    normal: true,
    doc: 'The Server was copied here from another management plane: what runs on it may still be on its way.',
  },
  Releasing: { short: 'release', normal: true, doc: 'The ServerBinding is being deleted.' },
  EnvironmentDownloading: {
    short: 'asset download',
    normal: true,
    doc: 'Kernel or initrd of the Environment are being downloaded.',
  },
  EnvironmentBroken: {
    short: 'working asset URL',
    normal: false,
    doc: 'Kernel or initrd of the Environment cannot be had as its spec says; the condition of the asset says why.',
  },
} as const;

export type WaitReason = keyof typeof WAIT_REASONS;

/** Whether a text, the reason of a condition for one, is a reason to wait. */
export function isWaitReason(text: string | undefined): text is WaitReason {
  return text !== undefined && Object.hasOwn(WAIT_REASONS, text);
}
