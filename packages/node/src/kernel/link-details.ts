import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DriverInfo } from './driver-info.ts';
import type { EthtoolClient } from './ethtool-client.ts';
import type { KernelLink, LinkDetails } from './kernel.ts';
import type { PciNameLookup } from './pci-names.ts';

/** What reading needs. */
export interface LinkDetailsDeps {
  /** Where `/sys` is. */
  readonly root: string;
  readonly ethtool: EthtoolClient;
  readonly pciNames: PciNameLookup;
  readonly readDriver: (linkName: string) => Promise<DriverInfo | undefined>;
}

/** What links in namespaces are, and hardware never is. */
const OF_NAMESPACES = ['veth', 'macvlan', 'ipvlan'];
/** `0000:01:00.0`. */
const PCI_ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** What sysfs, the driver and ethtool say of a link. What cannot be read is absent; never fails. */
export async function readLinkDetails(link: KernelLink, deps: LinkDetailsDeps): Promise<LinkDetails> {
  const entry = join(deps.root, 'sys/class/net', link.name);
  const said = await text(join(entry, 'device/uevent'));
  const uevent = keysOf(said !== '' && (await isOf(entry, link)) ? said : '');
  const driver = await deps.readDriver(link.name).catch(() => undefined);
  const found: Readonly<Record<string, string | undefined>> = {
    busPath: uevent.get('PCI_SLOT_NAME') ?? driver?.busInfo,
    pciID: uevent.get('PCI_ID'),
    driver: uevent.get('DRIVER') ?? driver?.driver,
    driverVersion: driver?.version,
    firmwareVersion: driver?.firmwareVersion,
  };
  // Of virtio cards only the driver tells where they are.
  const busPath = found['busPath'] ?? '';
  const pci = PCI_ADDRESS.test(busPath) ? await readPci(busPath, deps) : {};
  return { ...present(found), ...pci, ...(await deps.ethtool.readLink(link)) };
}

/**
 * Whether sysfs speaks of this link. A daemon that was moved into a network namespace may still see the /sys of another one, whose links
 * have the same names: hardware that is not there must not be selected.
 */
async function isOf(entry: string, { index, kind }: KernelLink): Promise<boolean> {
  const written = (await text(join(entry, 'ifindex'))).trim();
  return (written === '' || written === `${index}`) && !OF_NAMESPACES.includes(kind);
}

async function readPci(address: string, { root, pciNames }: LinkDetailsDeps): Promise<Partial<LinkDetails>> {
  const device = join(root, 'sys/bus/pci/devices', address);
  const [vendorID, productID] = [hex4(await text(join(device, 'vendor'))), hex4(await text(join(device, 'device')))];
  if (vendorID === '' || productID === '') return {};
  return { vendorID, productID, ...(await pciNames(vendorID, productID)) };
}

/** `0x8086`. */
function hex4(written: string): string {
  const number = Number(written.trim());
  return written.trim() === '' || !Number.isInteger(number) ? '' : `0x${number.toString(16).padStart(4, '0')}`;
}

function keysOf(uevent: string): ReadonlyMap<string, string> {
  const pairs = uevent.split('\n').filter((line) => line.includes('='));
  return new Map(pairs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

function text(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

function present(details: Readonly<Record<string, string | undefined>>): LinkDetails {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined && value !== ''));
}
