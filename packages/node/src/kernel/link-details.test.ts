import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DriverInfo } from './driver-info.ts';
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

  const read = (basics: Partial<LinkDetails> = {}, driver?: DriverInfo, kind = ''): Promise<LinkDetails> => {
    const ethtool: Pick<EthtoolClient, 'readLink'> = { readLink: async () => basics };
    const link: Pick<KernelLink, 'name' | 'index' | 'kind'> = { name: 'eth0', index: 2, kind };
    return readLinkDetails(link as KernelLink, {
      root,
      ethtool: ethtool as EthtoolClient,
      pciNames: createPciNameLookup(root),
      readDriver: async () => driver,
    });
  };
  const device = 'sys/class/net/eth0/device';
  const pci = 'sys/bus/pci/devices/0000:01:00.0';

  it('is bus, driver, numbers and names of a PCI card, and what ethtool adds', async () => {
    put(`${device}/uevent`, 'DRIVER=igb\nPCI_CLASS=20000\nPCI_ID=8086:1521\nPCI_SLOT_NAME=0000:01:00.0\n');
    put(`${pci}/vendor`, '0x8086\n');
    put(`${pci}/device`, '0x1521\n');
    put('usr/share/misc/pci.ids', PCI_IDS);
    assert.deepEqual(await read({ linkState: true, speedMbit: 1000, port: 0, duplex: 1 }), {
      ...{ busPath: '0000:01:00.0', pciID: '8086:1521', driver: 'igb' },
      ...{ vendorID: '0x8086', productID: '0x1521' },
      ...{ vendor: 'Intel Corporation', product: 'I350 Gigabit Network Connection' },
      ...{ linkState: true, speedMbit: 1000, port: 0, duplex: 1 },
    });
  });

  it('has no names where the host has no list, or it does not know the card', async () => {
    put(`${device}/uevent`, 'PCI_ID=8086:ffff\nPCI_SLOT_NAME=0000:01:00.0\n');
    put(`${pci}/vendor`, '0x8086\n');
    put(`${pci}/device`, '0xffff\n');
    const numbers = { busPath: '0000:01:00.0', pciID: '8086:ffff', vendorID: '0x8086', productID: '0xffff' };
    assert.deepEqual(await read(), numbers);
    put('usr/share/hwdata/pci.ids', PCI_IDS);
    assert.deepEqual(await read(), { ...numbers, vendor: 'Intel Corporation' });
    put(`${pci}/vendor`, '0xdead\n');
    assert.deepEqual(await read(), { ...numbers, vendorID: '0xdead' });
  });

  it('comes from the driver where sysfs does not tell it', async () => {
    put(`${device}/uevent`, 'DRIVER=virtio_net\nMODALIAS=virtio:d00000001v00001AF4\n');
    put(`${pci}/vendor`, '0x8086\n');
    put(`${pci}/device`, '0x1521\n');
    const versions = { version: '1.0.0', firmwareVersion: '' };
    assert.deepEqual(await read({}, { driver: 'virtio', busInfo: '0000:01:00.0', ...versions }), {
      ...{ busPath: '0000:01:00.0', driver: 'virtio_net', driverVersion: '1.0.0' },
      ...{ vendorID: '0x8086', productID: '0x1521' },
    });
    rmSync(join(root, 'sys'), { recursive: true });
    assert.deepEqual(await read({}, { driver: 'r8152', busInfo: 'usb-0000:00:14.0-1', ...versions }), {
      ...{ busPath: 'usb-0000:00:14.0-1', driver: 'r8152', driverVersion: '1.0.0' },
    });
    assert.deepEqual(await read({}, { driver: 'bridge', busInfo: '../../etc', ...versions, version: '' }), {
      ...{ busPath: '../../etc', driver: 'bridge' },
    });
  });

  it('is what can be read, when the rest is missing or rubbish', async () => {
    assert.deepEqual(await read(), {});
    put(`${device}/uevent`, '\0\n=\nDRIVER\nDRIVER=virtio_net=x\nPCI_ID=1:2');
    put(`${pci}/vendor`, 'none');
    assert.deepEqual(await read(), { driver: 'virtio_net=x', pciID: '1:2' });
  });

  it('is nothing of a link of another namespace that has the same name, where /sys is of that one', async () => {
    put(`${device}/uevent`, 'DRIVER=igb\nPCI_ID=8086:1521\nPCI_SLOT_NAME=0000:01:00.0\n');
    put('sys/class/net/eth0/ifindex', '2\n');
    assert.equal((await read()).driver, 'igb');
    assert.deepEqual(await read({}, undefined, 'veth'), {});
    put('sys/class/net/eth0/ifindex', '3\n');
    assert.deepEqual(await read(), {});
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
