export { type ClusterSight, type ClusterStage, clusterStagesSeen } from './demo/cluster-stages.ts';
export type { CollectedLine } from './demo/collected-logs.ts';
export { type ClusterJourney, followCluster } from './demo/follow-cluster.ts';
export { createJourneyLog, type JourneyLog } from './demo/journey-log.ts';
export {
  expectedAddress,
  isTrue,
  linkMode,
  REPORTED_CONDITIONS,
  type Sight,
  STAGES,
  type Stage,
  stagesSeen,
} from './demo/machine-stages.ts';
export { type MachineWatch, watchMachines } from './demo/machine-watch.ts';
export { createRackPlane, type RackPlane, type RackPlaneOptions } from './demo/rack-plane.ts';
export { followMachines, type JourneyOptions, powerOnMachines } from './demo/run-journey.ts';
export { type Lab, type LabOptions, startLab } from './demo/start-lab.ts';
export { askWorkload, type ClusterFiles, saveClusterFiles } from './demo/workload-access.ts';
export { type BootImage, type BootImages, buildBootImages } from './images/build-images.ts';
export { bloomeryCacheDir } from './images/cache-dir.ts';
export * from './instant/index.ts';
export { buildNetworkGuest, type NetworkGuestImage } from './network-guest/build-network-guest.ts';
export { type NetworkGuestRun, runNetworkGuest } from './network-guest/run-network-guest.ts';
export { FACTORY_BMC_USER, type MachineSpec, rackMachine } from './rack/machine-spec.ts';
export { createRack, openRack, type Rack, type RackOptions, removeRack, stopRack } from './rack/rack.ts';
export { inNamespace, type RackNetwork, rackNetwork } from './rack/rack-network.ts';
