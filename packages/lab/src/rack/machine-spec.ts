/** One machine of a virtual rack. */
export interface MachineSpec {
  /** Short name, used for files and devices: at most 8 characters. */
  readonly name: string;
  readonly uuid: string;
  readonly mac: string;
  readonly firmware: 'bios' | 'uefi';
  readonly serialNumber: string;
  readonly memoryMb: number;
  readonly diskBytes: number;
  /** Address of its BMC on the rack's network, UDP port 623. */
  readonly bmcAddress: string;
  /** How it may link to the plane. `tunnel`: the rack's network drops what it sends to WireGuard's port. */
  readonly link: 'udp' | 'tunnel';
}

/** User of the BMCs that the factory put there: the lab presses the power button with it, the plane never learns it. */
export const FACTORY_BMC_USER = { name: 'ADMIN', password: 'test123' } as const;

const GIB = 2 ** 30;

/** The n-th machine of a rack, from 1. The same number gives the same machine. */
export function rackMachine(
  n: number,
  firmware: MachineSpec['firmware'],
  link: MachineSpec['link'] = 'udp',
): MachineSpec {
  const two = String(n).padStart(2, '0');
  return {
    name: `m${n}`,
    uuid: `7c2b4a10-5d3e-4f86-9a01-0000000000${two}`,
    mac: `52:54:00:77:00:${two}`,
    firmware,
    link,
    serialNumber: `RACK-${two}`,
    memoryMb: 512,
    diskBytes: GIB,
    bmcAddress: `10.77.0.${100 + n}`,
  };
}
