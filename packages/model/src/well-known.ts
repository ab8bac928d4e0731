/** Finalizers that our objects carry: upstream's, and one of ours on ServerBinding only. */
export const FINALIZERS = {
  server: 'storage.finalizers.server.k8s.io',
  metalMachine: 'metalmachine.infrastructure.cluster.x-k8s.io',
  metalCluster: 'metalcluster.infrastructure.cluster.x-k8s.io',
  cluster: 'cluster.cluster.x-k8s.io',
  machine: 'machine.cluster.x-k8s.io',
  talosControlPlane: 'talos.controlplane.cluster.x-k8s.io',
  /** Of old releases of the bootstrap provider: only taken away. */
  talosConfigOld: 'talosconfig.bootstrap.cluster.x-k8s.io',
  machineSet: 'cluster.x-k8s.io/machineset',
  machineDeployment: 'cluster.x-k8s.io/machinedeployment',
  /** Makes the deletion of a ServerBinding always seen: only then the Server counts as released. */
  serverBinding: 'bloomery.dev/release',
} as const;

/** Annotations that we read or write. */
export const ANNOTATIONS = {
  /**
   * On Server: uid of the ServerBinding that holds it. Written by the ServerBinding controller once the binding carries its
   * finalizer, taken away when the binding's deletion was seen. A Server that has it while no ServerBinding of its name exists
   * lost its binding without a release (pivot, restored backup, deleted CRD): it is Parked, and never wiped, until somebody
   * takes the annotation away. Read the Server through the client, not the cache, before deciding by it.
   */
  boundTo: 'bloomery.dev/bound-to',
  /** On MetalMachine: ServerClass through which its Server was allocated. */
  allocatedThrough: 'bloomery.dev/allocated-through',
  /** On Server, set by users: no wipe, no release. */
  protect: 'bloomery.dev/protect',
  /** On any object, set by users: its controllers leave it alone. */
  pause: 'bloomery.dev/pause',
  /** On Server, set by users: shown next to the name. */
  note: 'bloomery.dev/note',
  /** On any object: Cluster API's word for pause. */
  capiPaused: 'cluster.x-k8s.io/paused',
  /** On Server, set by users: forget the wipes counted by the loop breaker. Taken away once that is done. */
  resetLoop: 'bloomery.dev/reset-loop',
  /** On Server: the SMBIOS UUID of a machine whose Server is named otherwise, because that UUID is unusable or taken. */
  reportedUuid: 'bloomery.dev/reported-uuid',
  /** On ServerBinding: `tunnel` while the machine's WireGuard goes through gRPC; absent: UDP. Written with the key. */
  siderolinkMode: 'bloomery.dev/siderolink-mode',
  /** On Server, set by users: `true` makes this machine tunnel its WireGuard through gRPC. */
  siderolinkTunnel: 'bloomery.dev/siderolink-tunnel',
  /** On ServerBinding: hash of the unique token of the machine that owns this UUID. `bloomery token reset` takes it away. */
  siderolinkUniqueToken: 'bloomery.dev/siderolink-unique-token',
  /** On ServerBinding: name of the join token by which the machine came last. */
  siderolinkJoinToken: 'bloomery.dev/siderolink-join-token',
  /**
   * On TalosControlPlane: which machine bootstraps etcd, as JSON (`machine`, `node`, `at`, `answered`). Written before the
   * machine is asked and never changed while its outcome is unknown. Take it away to let another machine be chosen.
   */
  bootstrapChoice: 'bloomery.dev/bootstrap-choice',
  /** On control plane Machines: made before etcd of their cluster was bootstrapped. Taken away once it is. */
  beforeBootstrap: 'bloomery.dev/before-bootstrap',
  /** On control plane Machines: being taken out of the cluster, since this time. Written before etcd is left. */
  leaving: 'bloomery.dev/leaving-control-plane',
  /** On control plane Machines changed in place: hash of the spec.controlPlaneConfig that they have. */
  appliedConfig: 'bloomery.dev/applied-config',
  /** On control plane Machines: being changed in place, as JSON (`at`, `talos`, `reboots`). Written before the machine is told. */
  changingInPlace: 'bloomery.dev/changing-in-place',
  /** On TalosControlPlane, set by users: delete the machines although the Cluster lives. */
  deleteControlPlane: 'bloomery.dev/delete-control-plane',
  /** On Machine, of Cluster API: the deletion waits, before the infrastructure goes, until this is taken away. */
  preTerminateHook: 'pre-terminate.delete.hook.machine.cluster.x-k8s.io/talos-control-plane',
  /** On TalosConfig, set by users: make the lost data Secret again although a machine may run with it. Taken away once done. */
  regenerateData: 'bloomery.dev/regenerate-bootstrap-data',
  /** On Machine, set by users: this one goes first when machines are taken away. */
  deleteMachine: 'cluster.x-k8s.io/delete-machine',
  /** On MachineSet, set by users: checks before the creation of Machines that are left out, by name, comma-separated. */
  skipPreflightChecks: 'machineset.cluster.x-k8s.io/skip-preflight-checks',
  /** On MachineSet: no Machines are created; set on the old ones of a MachineDeployment with strategy OnDelete. */
  disableMachineCreate: 'cluster.x-k8s.io/disable-machine-create',
  /** On MachineSet and MachineDeployment: which change of the template this is, counted from 1. */
  revision: 'machinedeployment.clusters.x-k8s.io/revision',
  /** On MachineSet: the revisions that it was before, comma-separated. */
  revisionHistory: 'machinedeployment.clusters.x-k8s.io/revision-history',
  /** On MachineSet: replicas of its MachineDeployment when it was last scaled. */
  desiredReplicas: 'machinedeployment.clusters.x-k8s.io/desired-replicas',
  /** On MachineSet: replicas and surge of its MachineDeployment when it was last scaled. */
  maxReplicas: 'machinedeployment.clusters.x-k8s.io/max-replicas',
  /** On Machine, set by users: a MachineHealthCheck takes it for unhealthy. */
  remediateMachine: 'cluster.x-k8s.io/remediate-machine',
  /** On Machine, set by users: no MachineHealthCheck judges it. */
  skipRemediation: 'cluster.x-k8s.io/skip-remediation',
  /** On MachineSet and MachineDeployment, for the cluster autoscaler: the fewest replicas. */
  autoscalerMinSize: 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size',
  /** On MachineSet and MachineDeployment, for the cluster autoscaler: the most replicas. */
  autoscalerMaxSize: 'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size',
  /**
   * On ServerBinding: its MetalMachine was moved to another plane, where the machine lives on. Deleting the binding then releases
   * nothing. Taken away when the MetalMachine comes back.
   */
  movedAway: 'bloomery.dev/moved-away',
  /** Set by `clusterctl move` on what it deletes after having copied it elsewhere: no release. */
  deleteForMove: 'clusterctl.cluster.x-k8s.io/delete-for-move',
} as const;

/** Labels that we read or write. */
export const LABELS = {
  clusterName: 'cluster.x-k8s.io/cluster-name',
  /** On Machines, and what belongs to them: of the control plane. */
  controlPlane: 'cluster.x-k8s.io/control-plane',
  /** On Machines: the MachineSet that made them. */
  machineSet: 'cluster.x-k8s.io/set-name',
  /** On MachineSets and Machines: the MachineDeployment that made them. */
  machineDeployment: 'cluster.x-k8s.io/deployment-name',
  /** On MachineSets and Machines: which template of the MachineDeployment they are made from. */
  templateHash: 'machine-template-hash',
  /** On Secrets and CRDs: taken along by `clusterctl move`. */
  move: 'clusterctl.cluster.x-k8s.io/move',
  /** On Server, from its inventory. */
  manufacturer: 'bloomery.dev/manufacturer',
  product: 'bloomery.dev/product',
  cpuCount: 'bloomery.dev/cpu-count',
  memoryGib: 'bloomery.dev/memory-gib',
  diskGib: 'bloomery.dev/disk-gib',
  /** On Nodes of workload clusters: the Server that the Node runs on. */
  nodeServer: 'metal.sidero.dev/uuid',
} as const;

/** Name of the ServerClass that holds every Server; it always exists. */
export const ANY_SERVER_CLASS = 'any';
