export { type AskIpmi, type IpmiRequest, ipmiRequest, parseRawAnswer } from './bmc/ipmi-message.ts';
export {
  type BmcAddress,
  type BmcCredentials,
  type BmcSetupDeps,
  findBmcAddress,
  setUpBmcUser,
} from './bmc/set-up-bmc.ts';
export * from './hardware/disk.ts';
export * from './hardware/hardware-information.ts';
export * from './hardware/network-link.ts';
export { type JourneyDeps, type Machine, type Orders, type Plane, runJourney } from './journey.ts';
export * from './kernel-arguments.ts';
export * from './kernel-log.ts';
export { createLinuxMachine, type LinuxMachineDeps, readDisks, readInventory, readSmbios } from './linux-machine.ts';
export { mustRun, type ProgramResult, type RunProgram, readText, runProgram } from './machine.ts';
export { bringUpNetwork, type NetworkDeps } from './network/bring-up.ts';
export * from './network/lease.ts';
export * from './network/plan-network.ts';
export { createPlaneClient } from './plane-client.ts';
export { disksToWipe, planWipe, type WipePlan } from './wipe/plan-wipe.ts';
export { type WipeDeps, type WipeTarget, wipeDisk } from './wipe/wipe-disk.ts';
