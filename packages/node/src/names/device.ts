import type { SysfsReader } from './sysfs.ts';

/** A device of the kernel: a folder of sysfs that has a file `uevent`. */
export interface Device {
  /** Relative to /sys, without symlinks: `devices/pci0000:00/0000:00:03.0`. */
  readonly path: string;
  /** Last part of the path. */
  readonly name: string;
  /** `pci`, `usb`, `virtio`, …; empty when it has none. */
  readonly subsystem: string;
  /** `usb_interface`, `wlan`, …; empty when it has none. */
  readonly type: string;
  /** An attribute without the newlines at its end; undefined when it cannot be read. */
  attribute(name: string): string | undefined;
  bytes(name: string): Uint8Array | undefined;
  list(name: string): readonly string[];
  /** Where a symlink of the device leads. */
  linked(name: string): Device | undefined;
  readonly parent: Device | undefined;
}

/** The device at a path; symlinks are followed. */
export function deviceAt(sysfs: SysfsReader, path: string): Device | undefined {
  const real = sysfs.real(path);
  return real === undefined || sysfs.bytes(`${real}/uevent`) === undefined ? undefined : createDevice(sysfs, real);
}

function createDevice(sysfs: SysfsReader, path: string): Device {
  const attribute = (name: string): string | undefined => {
    const bytes = sysfs.bytes(`${path}/${name}`);
    return bytes === undefined ? undefined : textOf(bytes);
  };
  return {
    path,
    name: lastPart(path),
    get subsystem() {
      return lastPart(sysfs.real(`${path}/subsystem`) ?? '');
    },
    get type() {
      return /^DEVTYPE=(.*)$/m.exec(attribute('uevent') ?? '')?.[1] ?? '';
    },
    attribute,
    bytes: (name) => sysfs.bytes(`${path}/${name}`),
    list: (name) => sysfs.list(`${path}/${name}`),
    linked: (name) => deviceAt(sysfs, `${path}/${name}`),
    get parent() {
      return parentAt(sysfs, path);
    },
  };
}

/** Folders between two devices (`net`) are none. */
function parentAt(sysfs: SysfsReader, path: string): Device | undefined {
  const parts = path.split('/');
  while (parts.length > 2) {
    parts.pop();
    const above = parts.join('/');
    if (sysfs.bytes(`${above}/uevent`) !== undefined) return createDevice(sysfs, above);
  }
  return undefined;
}

/** The nearest ancestor that fits. */
export function ancestorOf(device: Device, fits: (device: Device) => boolean): Device | undefined {
  for (let at = device.parent; at !== undefined; at = at.parent) if (fits(at)) return at;
  return undefined;
}

/** Up from a device over all virtio layers. */
export function skipVirtio(device: Device | undefined): Device | undefined {
  let at = device;
  while (at?.subsystem === 'virtio') at = at.parent;
  return at;
}

/**
 * A number without a sign below 2^32 as C programs read it: decimal, or in another base after `0x`, `0b`, `0o` or `0`.
 * undefined for everything else.
 */
export function parseUnsigned(text: string | undefined): number | undefined {
  const match = /^\s*\+?(0[xX][0-9a-fA-F]{1,16}|0[bB][01]{1,64}|0[oO]?[0-7]{1,24}|0|[1-9][0-9]{0,15})$/.exec(
    text ?? '',
  );
  const digits = match?.[1];
  if (digits === undefined) return undefined;
  const value = Number(digits.replace(/^0(?=[0-7])/, '0o'));
  return value <= 0xffff_ffff ? value : undefined;
}

/** A boolean attribute that says yes. */
export const isYes = (text: string | undefined): boolean => /^(?:1|yes|y|true|t|on)$/i.test(text ?? '');

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\n\r]+$/, '');
