import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeDisk } from './disk.ts';
import { describeLink } from './network-link.ts';

const files =
  (values: Readonly<Record<string, string>>) =>
  (name: string): string | undefined =>
    values[name];

describe('a disk', () => {
  it('is described by its files, the device folder first', () => {
    const attributes = files({
      size: '2097152\n',
      ro: '0\n',
      'queue/rotational': '0\n',
      'device/model': ' Samsung SSD  \n',
      serial: 'S1\n',
      'device/wwid': 'eui.1\n',
    });
    assert.deepEqual(describeDisk('sda', attributes), {
      name: 'sda',
      path: '/dev/sda',
      kind: 'SSD',
      sizeBytes: 1_073_741_824n,
      readOnly: false,
      model: 'Samsung SSD',
      serial: 'S1',
      uuid: '',
      wwid: 'eui.1',
    });
  });
  const kinds: [device: string, rotational: string, want: string][] = [
    ['nvme0n1', '0', 'NVMe'],
    ['mmcblk0', '0', 'SD'],
    ['sda', '1', 'HDD'],
    ['sda', '', 'Unknown'],
  ];
  for (const [device, rotational, want] of kinds) {
    it(`${device} with rotational "${rotational}" is ${want}`, () => {
      assert.equal(describeDisk(device, files({ size: '1', 'queue/rotational': rotational }))?.kind, want);
    });
  }
  it('is nothing that only looks like one, and nothing without a medium', () => {
    for (const device of ['loop0', 'sr0', 'md127', 'dm-0', 'ram1', 'zram0', 'nbd0', 'fd0']) {
      assert.equal(describeDisk(device, files({ size: '8' })), undefined);
    }
    assert.equal(describeDisk('sda', files({ size: '0' })), undefined);
    assert.equal(describeDisk('sda', files({ size: 'much' })), undefined);
  });
});

it('a link has its flags by name', () => {
  const attributes = files({ ifindex: '2\n', flags: '0x1003\n', mtu: '1500\n', address: '52:54:00:77:00:0A\n' });
  assert.deepEqual(describeLink('eth0', attributes, ['10.0.0.5/24']), {
    index: 2,
    name: 'eth0',
    flags: 'up|broadcast|multicast',
    mtu: 1500,
    mac: '52:54:00:77:00:0a',
    addresses: ['10.0.0.5/24'],
  });
});
