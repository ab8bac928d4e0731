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
  ConfigFailed: {
    type: 'Warning',
    about: 'Server',
    meaning: 'The configuration could not be put together. The message says which part is wrong.',
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
  DownloadFailed: {
    type: 'Warning',
    about: 'Environment',
    meaning: 'A file could not be downloaded. It is tried again; the old file stays.',
  },
  DuplicateIdentity: {
    type: 'Warning',
    about: 'Server, MetalMachine',
    meaning:
      'The UUID of the machine is meaningless or taken, and its Server has a derived name; or two machines came to the link with one UUID.',
  },
  EnvironmentReady: { type: 'Normal', about: 'Environment', meaning: 'Kernel and initrd can be served.' },
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
  Registered: { type: 'Normal', about: 'Server', meaning: 'A machine booted the agent for the first time.' },
  Released: { type: 'Normal', about: 'Server', meaning: 'The MetalMachine gave the Server back; it is wiped next.' },
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
  UnacceptedSeen: {
    type: 'Normal',
    about: 'Server',
    meaning: 'The machine booted the agent and nobody accepted it yet.',
  },
  WipeFinished: { type: 'Normal', about: 'Server', meaning: 'The agent reported its disks wiped.' },
  WipeStarted: { type: 'Normal', about: 'Server', meaning: 'The agent was told to wipe the disks.' },
};
