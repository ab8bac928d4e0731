import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { EthtoolClient } from './ethtool-client.ts';
import type { KernelLink, LinkDetails } from './kernel.ts';
import { readLinkDetails } from './link-details.ts';
import { createPciNameLookup } from './pci-names.ts';

const PCI_IDS = `# comment
1014  IBM
\t1521  Not this one
8086  Intel Corporation
\t1520  I350 Virtual
\t1521  I350 Gigabit Network Connection
\t\t1028 0602  Its sub-device
10ec  Realtek
C 02  Network controller
\t8086  Not a vendor
`;

describe('what sysfs and ethtool say of a link', () => {
  let root: string;
  const put = (path: string, text: string): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'blm-details-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  // The name is that of no link of this machine: its driver is not asked.
  const read = (basics: Partial<LinkDetails> = {}): Promise<LinkDetails> => {
    const ethtool: Pick<EthtoolClient, 'readLink'> = { readLink: async () => basics };
    const link: Pick<KernelLink, 'name'> = { name: 'blm-no-link' };
    return readLinkDetails(link as KernelLink, {
      root,
      ethtool: ethtool as EthtoolClient,
      pciNames: createPciNameLookup(root),
    });
  };
  const device = 'sys/class/net/blm-no-link/device';

  it('is bus, driver, numbers and names of a PCI card, and what ethtool adds', async () => {
    put(`${device}/uevent`, 'DRIVER=igb\nPCI_CLASS=20000\nPCI_ID=8086:1521\nPCI_SLOT_NAME=0000:01:00.0\n');
    put(`${device}/vendor`, '0x8086\n');
    put(`${device}/device`, '0x1521\n');
    put('usr/share/misc/pci.ids', PCI_IDS);
    assert.deepEqual(await read({ linkState: true, speedMbit: 1000, port: 0, duplex: 1 }), {
      ...{ busPath: '0000:01:00.0', pciID: '8086:1521', driver: 'igb' },
      ...{ vendorID: '0x8086', productID: '0x1521' },
      ...{ vendor: 'Intel Corporation', product: 'I350 Gigabit Network Connection' },
      ...{ linkState: true, speedMbit: 1000, port: 0, duplex: 1 },
    });
  });

  it('has no names where the host has no list, or it does not know the card', async () => {
    put(`${device}/uevent`, 'PCI_ID=8086:ffff\n');
    put(`${device}/vendor`, '0x8086\n');
    put(`${device}/device`, '0xffff\n');
    const numbers = { pciID: '8086:ffff', vendorID: '0x8086', productID: '0xffff' };
    assert.deepEqual(await read(), numbers);
    put('usr/share/hwdata/pci.ids', PCI_IDS);
    assert.deepEqual(await read(), { ...numbers, vendor: 'Intel Corporation' });
    put(`${device}/vendor`, '0xdead\n');
    assert.deepEqual(await read(), { ...numbers, vendorID: '0xdead' });
  });

  it('is what can be read, when the rest is missing or rubbish', async () => {
    assert.deepEqual(await read(), {});
    put(`${device}/uevent`, '\0\n=\nDRIVER\nDRIVER=virtio_net=x\nPCI_ID=1:2');
    put(`${device}/vendor`, 'none');
    assert.deepEqual(await read(), { driver: 'virtio_net=x', pciID: '1:2' });
  });

  it('is looked up once for each card', async () => {
    put('usr/share/misc/pci.ids', PCI_IDS);
    const lookUp = createPciNameLookup(root);
    assert.equal((await lookUp('0x10ec', '0x8168')).vendor, 'Realtek');
    rmSync(join(root, 'usr'), { recursive: true });
    assert.equal((await lookUp('0x10ec', '0x8168')).vendor, 'Realtek');
    assert.deepEqual(await lookUp('0x8086', '0x1521'), {});
  });
});
