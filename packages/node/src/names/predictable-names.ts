import { type Device, deviceAt, parseUnsigned, skipVirtio } from './device.ts';
import { macName, prefixOf } from './interface-device.ts';
import { DEFAULT_NAMING_SCHEME, type NamingScheme } from './naming-scheme.ts';
import { otherBusNames } from './other-bus-names.ts';
import { type PciSlot, pciNames } from './pci-names.ts';
import type { SysfsReader } from './sysfs.ts';

/** Names that stay the same from boot to boot, by how they came about. Not all are names that the kernel would take. */
export interface PredictableNames {
  /** By the firmware's number, or an alias of the device tree: `eno1`, `end0`. */
  readonly onboard?: string;
  /** What the board calls it; no name. */
  readonly label?: string;
  /** By a hotplug slot: `ens1`. */
  readonly slot?: string;
  /** By the place on the bus: `enp2s0`. */
  readonly path?: string;
  /** By the hardware address: `enx525400123456`. */
  readonly mac?: string;
}

/** Longest alternative name, and label, in bytes. */
const MAX_BYTES = 127;

/**
 * Compute the names of one interface, as systemd's `net_id` does. Reads sysfs only.
 *
 * @param syspath Of the interface, below /sys; symlinks are followed: `class/net/eth0`
 * @returns no names for interfaces that are no hardware
 */
export function predictableNames(
  sysfs: SysfsReader,
  syspath: string,
  scheme: NamingScheme = DEFAULT_NAMING_SCHEME,
): PredictableNames {
  const net = deviceAt(sysfs, syspath);
  const prefix = net === undefined ? undefined : prefixOf(net, scheme);
  if (net === undefined || prefix === undefined) return {};
  const input = { net, scheme, slots: () => pciSlots(sysfs) };
  const host = skipVirtio(net.parent);
  const found = { ...otherBusNames(sysfs, input, prefix), ...(isOnPci(host) ? pciNames(host, input) : {}) };
  const name = (key: 'onboard' | 'slot' | 'path' | 'mac', rest: string | undefined) =>
    rest === undefined || prefix.length + Buffer.byteLength(rest) > MAX_BYTES ? {} : { [key]: prefix + rest };
  return {
    ...name('onboard', found.onboard),
    ...(found.label === undefined || Buffer.byteLength(found.label) > MAX_BYTES ? {} : { label: found.label }),
    ...name('slot', found.slot),
    ...name('path', found.path),
    ...name('mac', macName(net, prefix)),
  };
}

const isOnPci = (device: Device | undefined): device is Device => device?.subsystem === 'pci';

const SLOTS = 'bus/pci/slots';

function pciSlots(sysfs: SysfsReader): readonly PciSlot[] {
  const slots = sysfs.list(SLOTS).flatMap((folder): PciSlot[] => {
    const bytes = sysfs.bytes(`${SLOTS}/${folder}/address`);
    if (bytes === undefined) return [];
    const address = Buffer.from(bytes)
      .toString('latin1')
      .replace(/[\n\r]+$/, '');
    return [{ folder, number: parseUnsigned(folder) ?? 0, address }];
  });
  return slots.sort((a, b) => a.number - b.number);
}
