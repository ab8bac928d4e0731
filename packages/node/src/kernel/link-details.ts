import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readDriverInfo } from './driver-info.ts';
import type { EthtoolClient } from './ethtool-client.ts';
import type { KernelLink, LinkDetails } from './kernel.ts';
import type { PciNameLookup } from './pci-names.ts';

/** What reading needs. */
export interface LinkDetailsDeps {
  /** Where `/sys` is. */
  readonly root: string;
  readonly ethtool: EthtoolClient;
  readonly pciNames: PciNameLookup;
}

/** What sysfs, the driver and ethtool say of a link. What cannot be read is absent; never fails. */
export async function readLinkDetails(link: KernelLink, deps: LinkDetailsDeps): Promise<LinkDetails> {
  const device = join(deps.root, 'sys/class/net', link.name, 'device');
  const uevent = keysOf(await text(join(device, 'uevent')));
  const driver = await readDriverInfo(link.name).catch(() => undefined);
  const pciID = uevent.get('PCI_ID');
  const found: Readonly<Record<string, string | undefined>> = {
    busPath: uevent.get('PCI_SLOT_NAME') ?? driver?.busInfo,
    pciID,
    driver: uevent.get('DRIVER') ?? driver?.driver,
    driverVersion: driver?.version,
    firmwareVersion: driver?.firmwareVersion,
  };
  const pci = pciID === undefined ? {} : await readPci(device, deps.pciNames);
  return { ...present(found), ...pci, ...(await deps.ethtool.readLink(link)) };
}

async function readPci(device: string, lookUp: PciNameLookup): Promise<Partial<LinkDetails>> {
  const [vendorID, productID] = [hex4(await text(join(device, 'vendor'))), hex4(await text(join(device, 'device')))];
  if (vendorID === '' || productID === '') return {};
  return { vendorID, productID, ...(await lookUp(vendorID, productID)) };
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
