import { ancestorOf, type Device, parseUnsigned, skipVirtio } from './device.ts';
import { type NamingScheme, SCHEME } from './naming-scheme.ts';
import { type DeviceNames, type NamingInput, pciHostNames } from './pci-names.ts';
import type { SysfsReader } from './sysfs.ts';

/** Names of interfaces on buses other than PCI, without their prefix. Each looks whether the interface is its own. */
export function otherBusNames(sysfs: SysfsReader, input: NamingInput, prefix: string): DeviceNames {
  const { net, scheme } = input;
  return {
    ...devicetreeNames(sysfs, input, aliasKinds(prefix, scheme)),
    ...ccwNames(net),
    ...vioNames(net),
    ...platformNames(net),
    ...netdevsimNames(net),
    ...(scheme >= SCHEME.xen ? xenNames(net) : {}),
    ...usbNames(input),
    ...bcmaNames(input),
  };
}

/** Adapters on USB: ports from the root hub down, configuration and interface unless they are the first. */
function usbNames(input: NamingInput): DeviceNames {
  const { net, scheme } = input;
  const usb = ancestorOf(net, ({ subsystem, type }) => subsystem === 'usb' && type === 'usb_interface');
  const match = /^[^-]*-([^:]*):([^.]*)\.(.*)$/.exec(usb?.name ?? '');
  if (usb === undefined || match === null) return {};
  const [ports = '', config = '', number = ''] = match.slice(1);
  const suffix = `u${ports.replaceAll('.', 'u')}${config === '1' ? '' : `c${config}`}${number === '0' ? '' : `i${number}`}`;
  const host = ancestorOf(usb, isOnPci);
  if (host !== undefined) return pciHostNames(host, input, suffix);
  return scheme >= SCHEME.usbWithoutPci ? { path: suffix } : {};
}

/** Cores of a Broadcom chip; the first needs no number. */
function bcmaNames(input: NamingInput): DeviceNames {
  const bcma = ancestorOf(input.net, ({ subsystem }) => subsystem === 'bcma');
  const core = /^bcma[0-9]*:([0-9]+)/.exec(bcma?.name ?? '')?.[1];
  const host = bcma === undefined ? undefined : ancestorOf(bcma, isOnPci);
  if (core === undefined || host === undefined) return {};
  return pciHostNames(host, input, Number(core) > 0 ? `b${Number(core)}` : '');
}

const isOnPci = ({ subsystem }: Device): boolean => subsystem === 'pci';

/** Channel devices of s390: the bus id without the zeros and dots at its begin. */
function ccwNames(net: Device): DeviceNames {
  const parent = skipVirtio(net.parent);
  if (parent === undefined || !/^ccw(?:group)?$/.test(parent.subsystem)) return {};
  if (!/^.{8,9}$/.test(parent.name)) return {};
  return { path: `c${parent.name.replace(/^[.0]+/, '') || '0'}` };
}

/** Virtual devices of POWER: `vio/30000002`, the slot is in the lower half. */
function vioNames(net: Device): DeviceNames {
  if (net.parent?.subsystem !== 'vio') return {};
  const slot = /^devices\/vio\/[0-9a-f]{4}([0-9a-f]{4})\//i.exec(net.path)?.[1];
  return slot === undefined ? {} : { slot: `v${Number.parseInt(slot, 16)}` };
}

/** Platform devices that ACPI knows: vendor of three (PNP) or four (ACPI) characters, model, instance. */
function platformNames(net: Device): DeviceNames {
  if (net.parent?.subsystem !== 'platform') return {};
  const match = /^devices\/platform\/([A-Z]{3}|[A-Z0-9]{4})([0-9a-fA-F]{4}):([0-9a-fA-F]{2})\//.exec(net.path);
  if (match === null) return {};
  const [vendor = '', model = '', instance = ''] = match.slice(1);
  const number = Number.parseInt(model, 16).toString(16);
  return { path: `a${vendor.toLowerCase()}${number}i${Number.parseInt(instance, 16)}` };
}

function netdevsimNames(net: Device): DeviceNames {
  const simulator = ancestorOf(net, ({ subsystem }) => subsystem === 'netdevsim');
  const port = net.attribute('phys_port_name') ?? '';
  const number = /([0-9]+)$/.exec(simulator?.name ?? '')?.[1];
  return number === undefined || port === '' ? {} : { path: `i${Number(number)}n${port}` };
}

/** Xen's virtual interfaces stand at the top of the tree. */
function xenNames(net: Device): DeviceNames {
  if (net.parent?.subsystem !== 'xen') return {};
  const number = parseUnsigned(/^devices\/vif-(0|[1-9][0-9]*)\//.exec(net.path)?.[1]);
  return number === undefined ? {} : { slot: `X${number}` };
}

const DEVICETREE = 'firmware/devicetree/base';
const MAX_ALIASES = 1024;

/** Words that aliases of an interface begin with; the first that has one counts. */
function aliasKinds(prefix: string, scheme: NamingScheme): readonly string[] {
  if (prefix === 'en') return scheme >= SCHEME.devicetreeAliases ? ['ethernet'] : [];
  return prefix === 'wl' && scheme >= SCHEME.radioAliases ? ['wifi', 'ethernet'] : [];
}

/** `ethernet1 = "/soc/ethernet@1"` in the device tree's aliases. */
function devicetreeNames(sysfs: SysfsReader, { net, scheme }: NamingInput, kinds: readonly string[]): DeviceNames {
  const from = [scheme >= SCHEME.devicetreePorts ? net.path : undefined, net.parent?.path];
  const node = from.flatMap((path) => (path === undefined ? [] : (sysfs.real(`${path}/of_node`) ?? []))).at(0);
  if (kinds.length === 0 || node === undefined) return {};
  const aliases = sysfs.list(`${DEVICETREE}/aliases`).slice(0, MAX_ALIASES);
  for (const kind of kinds) {
    // Both mean number 0.
    if (aliases.includes(kind) && aliases.includes(`${kind}0`)) continue;
    const numbers = aliases.flatMap((alias) => {
      const number = alias === kind ? 0 : alias.startsWith(kind) ? parseUnsigned(alias.slice(kind.length)) : undefined;
      return number !== undefined && aliasTarget(sysfs, alias) === node ? [number] : [];
    });
    if (numbers.length > 0) return { onboard: `d${Math.min(...numbers)}` };
  }
  return {};
}

function aliasTarget(sysfs: SysfsReader, alias: string): string {
  const value = Buffer.from(sysfs.bytes(`${DEVICETREE}/aliases/${alias}`) ?? []).toString('latin1');
  const parts = value.replace(/[\0\n]+$/, '').split('/');
  return [DEVICETREE, ...parts.filter((part) => part !== '')].join('/');
}
