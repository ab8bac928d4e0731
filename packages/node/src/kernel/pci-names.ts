import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** Where distributions put the list. */
const FILES = ['usr/share/misc/pci.ids', 'usr/share/hwdata/pci.ids', 'usr/share/pci.ids'];
const LINE_MAX = 4096;
const KEPT_MAX = 1024;

/** Names of a vendor and its product; absent when the list does not have them. */
export interface PciNames {
  readonly vendor?: string;
  readonly product?: string;
}

/** Looks names up, with what was found kept. The list is read line by line, no further than needed. */
export type PciNameLookup = (vendorID: string, productID: string) => Promise<PciNames>;

/** Make a look-up in the list of this host. @param root Where `/` is. */
export function createPciNameLookup(root: string): PciNameLookup {
  const kept = new Map<string, Promise<PciNames>>();
  return (vendorID, productID) => {
    const key = `${vendorID}:${productID}`;
    const found = kept.get(key) ?? lookUp(root, bare(vendorID), bare(productID));
    if (kept.size < KEPT_MAX) kept.set(key, found);
    return found;
  };
}

async function lookUp(root: string, vendorID: string, productID: string): Promise<PciNames> {
  for (const file of FILES) {
    try {
      return await searchFile(`${root}/${file}`, vendorID, productID);
    } catch {
      // The next place.
    }
  }
  return {};
}

async function searchFile(path: string, vendorID: string, productID: string): Promise<PciNames> {
  const input = createReadStream(path, 'utf8');
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let vendor: string | undefined;
  try {
    for await (const line of lines) {
      if (line.length > LINE_MAX || line === '' || line.startsWith('#')) continue;
      if (vendor === undefined) {
        if (line.startsWith(`${vendorID}  `)) vendor = line.slice(6);
        // Classes stand behind all vendors.
        else if (line.startsWith('C ')) return {};
      } else if (line.startsWith(`\t${productID}  `)) return { vendor, product: line.slice(7) };
      else if (!line.startsWith('\t')) return { vendor };
    }
  } finally {
    lines.close();
    input.destroy();
  }
  return vendor === undefined ? {} : { vendor };
}

/** `8086` of `0x8086`. */
function bare(id: string): string {
  return id.replace(/^0x/, '');
}
