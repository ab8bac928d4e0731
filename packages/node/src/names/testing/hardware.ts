import type { SysfsTree } from './fake-sysfs.ts';

/** Bytes of a PCI configuration space, as far as names need them. */
const HEADER_BYTES = 64;

export interface Hardware {
  /** Files of any device by its path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly links?: Readonly<Record<string, string>>;
  /** Subsystems of devices by path; `usb:usb_interface` gives the device type, too. */
  readonly devices: Readonly<Record<string, string>>;
  /** PCI devices of `devices` with several functions. */
  readonly multiFunction?: readonly string[];
  /** Interfaces by name: on which device, and what differs from an Ethernet port with a burnt-in address. */
  readonly interfaces: Readonly<Record<string, { readonly on: string; readonly attributes?: Attributes }>>;
}

/** undefined: the attribute cannot be read. */
export type Attributes = Readonly<Record<string, string | undefined>>;

const PORT: Attributes = {
  type: '1',
  address: '52:54:00:12:34:56',
  addr_assign_type: '0',
  dev_port: '0',
  name_assign_type: '1',
};

/** The sysfs of a machine with this hardware. Interfaces are numbered from 2 in their order. */
export function hardware({ files = {}, links = {}, devices, multiFunction = [], interfaces }: Hardware): SysfsTree {
  const tree = { files: { ...files } as Record<string, string | { hex: string }>, links: { ...links } };
  for (const [path, kind] of Object.entries(devices)) {
    const [subsystem = '', type] = kind.split(':');
    tree.files[`${path}/uevent`] = type === undefined ? 'X=1' : `DEVTYPE=${type}`;
    tree.links[`${path}/subsystem`] = `bus/${subsystem}`;
    const config = Buffer.alloc(HEADER_BYTES);
    config[0x0e] = multiFunction.includes(path) ? 0x80 : 0;
    if (subsystem === 'pci') tree.files[`${path}/config`] = { hex: config.toString('hex') };
  }
  let index = 1;
  for (const [name, { on, attributes }] of Object.entries(interfaces)) {
    index += 1;
    const path = `${on}/net/${name}`;
    tree.files[`${path}/uevent`] = `INTERFACE=${name}\nIFINDEX=${index}`;
    for (const [key, value] of Object.entries({ iflink: String(index), ...PORT, ...attributes }))
      if (value !== undefined) tree.files[`${path}/${key}`] = value;
    tree.links[`${path}/subsystem`] = 'class/net';
    tree.links[`class/net/${name}`] = path;
  }
  return { ...tree, dirs: ['bus/pci/slots', 'class/net'] };
}
