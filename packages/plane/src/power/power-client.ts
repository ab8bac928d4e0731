/** Firmware kind for a one-time network boot. */
export type PxeMode = 'bios' | 'uefi';

/** Power control of one machine. Calls are bounded (10 s) and throw BLM_BMC_* errors. */
export interface PowerClient {
  /** True when there is no BMC: every action is a no-op and the machine counts as on. */
  readonly isFake: boolean;
  isPoweredOn(): Promise<boolean>;
  powerOn(): Promise<void>;
  powerOff(): Promise<void>;
  powerCycle(): Promise<void>;
  /** Next boot only, from the network. */
  setPxeOnce(mode: PxeMode): Promise<void>;
}
