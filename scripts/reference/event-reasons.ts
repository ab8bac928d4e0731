/** What is known of one reason of an Event. */
interface EventReason {
  readonly type: 'Normal' | 'Warning' | 'Normal or Warning';
  /** Kinds whose objects have it. */
  readonly about: string;
  readonly meaning: string;
}

/** Reasons of Events that are no wait reasons. A test compares this list with what the plane's code records. */
export const EVENT_REASONS: Readonly<Record<string, EventReason>> = {
  Accepted: { type: 'Normal', about: 'Server', meaning: 'Somebody accepted the Server.' },
  Allocated: {
    type: 'Normal',
    about: 'Server, MetalMachine',
    meaning: 'The Server was given to the MetalMachine. The message names the ServerClass.',
  },
  AllocationBlocked: {
    type: 'Normal or Warning',
    about: 'MetalMachine',
    meaning: 'No Server can be given yet. The message says what is missing.',
  },
  BMCAdopted: {
    type: 'Normal',
    about: 'Server',
    meaning: 'The agent made a BMC user. Its credentials are in Secret `default/NAME-bmc`.',
  },
  BootOffered: { type: 'Normal', about: 'Server', meaning: 'The DHCP proxy named a boot file to the machine.' },
  BootScriptRefused: {
    type: 'Warning',
    about: 'Server',
    meaning:
      'The machine asked for its boot script and there is nothing to boot: Environment or ServerClass is missing or not ready.',
  },
  BootScriptServed: {
    type: 'Normal',
    about: 'Server',
    meaning: 'The machine was sent to the agent, to an Environment or to its disk.',
  },
  BootstrapChosen: {
    type: 'Normal',
    about: 'TalosControlPlane',
    meaning: 'The machine was chosen to bootstrap etcd. The choice is stored before it is asked.',
  },
  Bootstrapped: {
    type: 'Normal',
    about: 'TalosControlPlane, Machine',
    meaning: 'The machine agreed to bootstrap etcd, or had done so before.',
  },
  BootstrapReady: {
    type: 'Normal',
    about: 'Machine',
    meaning: 'The Machine has its bootstrap data.',
  },
  BootstrapReleased: {
    type: 'Normal',
    about: 'TalosControlPlane',
    meaning: 'The machine that was to bootstrap etcd is gone and none holds data of etcd: another may be chosen.',
  },
  BootstrapTemplateCloningFailed: {
    type: 'Warning',
    about: 'TalosControlPlane',
    meaning: 'The TalosConfig of a new machine could not be made.',
  },
  ChangedInPlace: {
    type: 'Normal',
    about: 'TalosControlPlane, Machine',
    meaning:
      'The machine got configuration, Kubernetes or Talos of the spec. The message names what differs, without secrets.',
  },
  ChangeRefused: {
    type: 'Warning',
    about: 'TalosControlPlane',
    meaning: 'A change could not be made with the configuration that the spec gives. Nothing was applied.',
  },
  ChecksumMismatch: {
    type: 'Warning',
    about: 'Environment',
    meaning: 'A downloaded file has another sha512 than the spec says. The old file stays.',
  },
  ClientConfigGenerationFailed: {
    type: 'Warning',
    about: 'TalosConfig',
    meaning: 'The talosconfig of the cluster could not be made.',
  },
  ClientConfigExpiring: {
    type: 'Warning',
    about: 'TalosConfig',
    meaning:
      'The client certificate of the talosconfig ends within 60 days. It is renewed 30 days before; copies of it are not.',
  },
  ClientConfigWritten: {
    type: 'Normal',
    about: 'TalosConfig',
    meaning:
      'The talosconfig of the cluster was written: endpoints or authority changed, or its certificate was to expire.',
  },
  ConfigFailed: {
    type: 'Warning',
    about: 'Server',
    meaning: 'The configuration could not be put together. The message says which part is wrong.',
  },
  ConfigInvalid: {
    type: 'Warning',
    about: 'TalosConfig',
    meaning: 'The machine config was made, and the machine will refuse it as it is. The message says why.',
  },
  ConfigNote: {
    type: 'Warning',
    about: 'TalosConfig',
    meaning: 'The configuration was made; a part of it deserves a look.',
  },
  ConfigRefused: {
    type: 'Warning',
    about: 'Server, MetalMachine',
    meaning: 'Somebody asked for a configuration and may not have it, or the operating system refused the one it got.',
  },
  ConfigServed: { type: 'Normal', about: 'Server', meaning: 'The machine fetched its configuration.' },
  ControlPlaneInitialized: {
    type: 'Normal',
    about: 'Cluster',
    meaning: 'The control plane serves for the first time.',
  },
  ControlPlaneReady: {
    type: 'Normal',
    about: 'Cluster',
    meaning: 'The control plane object says that it is ready.',
  },
  DataSecretAdopted: {
    type: 'Normal',
    about: 'TalosConfig',
    meaning:
      'The Machine has its data Secret already, after a move or a restore, or it is back: the config is not made again.',
  },
  DataSecretCreated: {
    type: 'Normal',
    about: 'TalosConfig',
    meaning: 'The machine config was made and is in a Secret.',
  },
  DataSecretGenerationFailed: {
    type: 'Warning',
    about: 'TalosConfig',
    meaning: 'The machine config could not be made. Correct the TalosConfig.',
  },
  Deleted: {
    type: 'Normal',
    about: 'Cluster, Machine',
    meaning: 'Everything that belonged to the object is gone, and the object with it.',
  },
  DownloadFailed: {
    type: 'Warning',
    about: 'Environment',
    meaning: 'A file could not be downloaded. It is tried again; the old file stays.',
  },
  DrainingSkipped: {
    type: 'Warning',
    about: 'Machine',
    meaning: 'The Node of a Machine that goes was not drained, or not to the end. The message says why.',
  },
  DuplicateIdentity: {
    type: 'Warning',
    about: 'Server, MetalMachine',
    meaning:
      'The UUID of the machine is meaningless or taken, and its Server has a derived name; or two machines came to the link with one UUID.',
  },
  EnvironmentReady: { type: 'Normal', about: 'Environment', meaning: 'Kernel and initrd can be served.' },
  EtcdLeaveSkipped: {
    type: 'Warning',
    about: 'TalosControlPlane, Machine',
    meaning: 'A deleted machine goes without having left etcd, as etcd did not answer for two minutes.',
  },
  EtcdMemberLeft: { type: 'Normal', about: 'TalosControlPlane, Machine', meaning: 'The machine left etcd.' },
  EtcdMemberRemoved: {
    type: 'Normal',
    about: 'TalosControlPlane',
    meaning: 'A member that could not leave by itself, or that no machine is, was removed from etcd through another.',
  },
  Failed: {
    type: 'Warning',
    about: 'Cluster',
    meaning: 'The infrastructure or the control plane reported a failure that does not pass.',
  },
  InfrastructureReady: {
    type: 'Normal',
    about: 'Cluster, Machine',
    meaning: 'The infrastructure object is ready.',
  },
  InfrastructureTemplateCloningFailed: {
    type: 'Warning',
    about: 'TalosControlPlane',
    meaning: 'The infrastructure object of a new machine could not be made.',
  },
  InstallFailed: {
    type: 'Warning',
    about: 'Server, MetalMachine',
    meaning: 'The operating system could not install itself.',
  },
  InstallFinished: {
    type: 'Normal',
    about: 'Server, MetalMachine',
    meaning: 'The operating system is on the disk; the machine restarts.',
  },
  InstallStarted: {
    type: 'Normal',
    about: 'Server, MetalMachine',
    meaning: 'The operating system installs itself to disk.',
  },
  InvalidURL: { type: 'Warning', about: 'Environment', meaning: 'A URL of the spec is not http or https.' },
  InventoryChanged: { type: 'Normal', about: 'Server', meaning: 'The agent found other hardware than before.' },
  KubeconfigFailed: {
    type: 'Warning',
    about: 'TalosControlPlane',
    meaning: 'The kubeconfig of the cluster cannot be made: Secret `<cluster>-ca` cannot be used.',
  },
  KubeconfigWritten: {
    type: 'Normal',
    about: 'TalosControlPlane',
    meaning: 'The kubeconfig of the cluster was written to its Secret. The message says why.',
  },
  LinkDown: {
    type: 'Warning',
    about: 'Server, MetalMachine',
    meaning: 'The machine has been silent on the link for 275 seconds.',
  },
  LinkUp: { type: 'Normal', about: 'Server, MetalMachine', meaning: 'The machine is on the link.' },
  LoopDetected: {
    type: 'Warning',
    about: 'Server',
    meaning: 'Wiped three times without an allocation in between; parked until you reset the loop.',
  },
  MachineCreated: {
    type: 'Normal',
    about: 'TalosControlPlane',
    meaning: 'A machine of the control plane was made: infrastructure object, TalosConfig and Machine of one name.',
  },
  MachineDeleted: {
    type: 'Normal',
    about: 'TalosControlPlane',
    meaning: 'A Machine of the control plane is deleted. The message says why.',
  },
  MachineGenerationFailed: {
    type: 'Warning',
    about: 'TalosControlPlane',
    meaning: 'The Machine object of a new machine could not be made.',
  },
  MachineMarkedUnhealthy: {
    type: 'Warning',
    about: 'Machine',
    meaning: 'A MachineHealthCheck wants the owner of the Machine to replace it. The message says why.',
  },
  NodeDeleted: {
    type: 'Normal',
    about: 'TalosControlPlane',
    meaning: 'The Node of a machine that is gone was deleted.',
  },
  NodeHealthy: {
    type: 'Normal',
    about: 'Machine',
    meaning: 'The Node of the Machine is ready and under no pressure.',
  },
  NodeLeftBehind: {
    type: 'Warning',
    about: 'Machine',
    meaning:
      'The Node of a Machine that is gone could not be deleted in time. Delete it by hand when the cluster is there again.',
  },
  NodeVolumesDetached: {
    type: 'Normal',
    about: 'Machine',
    meaning: 'No volume is attached any more to the Node of a Machine that goes.',
  },
  Parked: {
    type: 'Warning',
    about: 'Server',
    meaning: 'A guard stopped a wipe or a release. The message says which and what to do.',
  },
  PowerCycle: {
    type: 'Normal',
    about: 'Server, MetalMachine',
    meaning: 'The BMC was told to restart the machine towards the network.',
  },
  PowerFailed: { type: 'Warning', about: 'Server, MetalMachine', meaning: 'The BMC does not do what it is asked.' },
  PowerOff: { type: 'Normal', about: 'Server', meaning: 'The BMC was told to switch the machine off.' },
  PowerOn: {
    type: 'Normal',
    about: 'Server, MetalMachine',
    meaning: 'The BMC was told to switch the machine on, towards the network.',
  },
  ProviderSet: {
    type: 'Normal',
    about: 'MetalMachine',
    meaning: 'The Node of the machine carries its provider id, by which Cluster API finds it.',
  },
  ProviderUpdateFailed: {
    type: 'Warning',
    about: 'MetalMachine',
    meaning: 'The provider id cannot be set on the Node of the machine. The message names the Nodes and what to do.',
  },
  Ready: { type: 'Normal', about: 'TalosControlPlane', meaning: 'The control plane is as its spec says.' },
  Registered: { type: 'Normal', about: 'Server', meaning: 'A machine booted the agent for the first time.' },
  Released: { type: 'Normal', about: 'Server', meaning: 'The MetalMachine gave the Server back; it is wiped next.' },
  RemediationRestricted: {
    type: 'Warning',
    about: 'MachineHealthCheck',
    meaning: 'More Machines are unhealthy than may be replaced: none is.',
  },
  RemovingMachine: {
    type: 'Normal',
    about: 'TalosControlPlane, Machine',
    meaning: 'A machine is taken out of the control plane: it leaves etcd, then it is deleted. The message says why.',
  },
  ReportRefused: {
    type: 'Warning',
    about: 'Server',
    meaning: 'A report came without the token of the boot, or for a Server that is not accepted or is in use.',
  },
  SecretsCreated: { type: 'Normal', about: 'Cluster', meaning: 'The secrets of the cluster were made, once.' },
  ServerClassBroken: {
    type: 'Warning',
    about: 'ServerClass',
    meaning: 'The selector cannot be evaluated. The members stay as they were.',
  },
  SuccessfulAdopt: {
    type: 'Normal',
    about: 'MachineSet, MachineDeployment',
    meaning: 'A Machine or MachineSet that nobody owned and that is selected belongs to the object now.',
  },
  SuccessfulCreate: {
    type: 'Normal',
    about: 'MachineSet, MachineDeployment',
    meaning: 'A Machine or MachineSet was made. The message names it.',
  },
  SuccessfulDelete: {
    type: 'Normal',
    about: 'MachineSet, MachineDeployment',
    meaning: 'A Machine or MachineSet was deleted. The message says why.',
  },
  SuccessfulDrainNode: {
    type: 'Normal',
    about: 'Machine',
    meaning: 'The Node of a Machine that goes was drained.',
  },
  SuccessfulRelease: {
    type: 'Normal',
    about: 'MachineSet',
    meaning: 'A Machine is no longer selected and stands alone from now on.',
  },
  SuccessfulScale: {
    type: 'Normal',
    about: 'MachineDeployment',
    meaning: 'A MachineSet got another size. The message has both.',
  },
  SuccessfulSetNodeRef: {
    type: 'Normal',
    about: 'Machine',
    meaning: "The Node with the Machine's provider id joined the cluster.",
  },
  UnacceptedSeen: {
    type: 'Normal',
    about: 'Server',
    meaning: 'The machine booted the agent and nobody accepted it yet.',
  },
  VolumeDetachSkipped: {
    type: 'Warning',
    about: 'Machine',
    meaning:
      'Volumes may still be attached to the Node of a Machine that goes. The message says why they were not waited for.',
  },
  WipeFinished: { type: 'Normal', about: 'Server', meaning: 'The agent reported its disks wiped.' },
  WipeStarted: { type: 'Normal', about: 'Server', meaning: 'The agent was told to wipe the disks.' },
};
