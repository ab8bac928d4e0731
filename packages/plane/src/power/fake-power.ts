import type { PowerClient } from './power-client.ts';

/** The power client of a machine without BMC: counts as on, and every action does nothing. */
export const fakePower: PowerClient = {
  isFake: true,
  isPoweredOn: async () => true,
  async powerOn() {},
  async powerOff() {},
  async powerCycle() {},
  async setPxeOnce() {},
};
