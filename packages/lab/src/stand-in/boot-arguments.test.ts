import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configUrlFor, readBootArguments } from './boot-arguments.ts';
import { readStandInConfig } from './machine-config.ts';
import { bootSector, grubConfig } from './partition-table.ts';

describe('the stand-in', () => {
  it("reads where Talos' configuration is, and its own arguments", () => {
    const text =
      'vmlinuz console=ttyS0 talos.config=http://10.0.0.1:8081/configdata?t=abc&uuid= siderolink.api=10.0.0.1:8081 ' +
      'talos.events.sink=[fdae::1]:4002 stand-in.image=http://10.0.0.1:8081/env/x stand-in.etcd=http://10.0.0.2/etcd';
    assert.deepEqual(readBootArguments(text), {
      isDiskBoot: false,
      configUrl: 'http://10.0.0.1:8081/configdata?t=abc&uuid=',
      imageUrl: 'http://10.0.0.1:8081/env/x',
      etcdUrl: 'http://10.0.0.2/etcd',
    });
  });
  it('knows that it boots from disk, and then needs nothing else', () => {
    assert.deepEqual(readBootArguments('BOOT_IMAGE=/vmlinuz stand-in.boot=disk'), { isDiskBoot: true });
  });
  it('installs from the default Environment beside its configuration unless told otherwise', () => {
    const { imageUrl } = readBootArguments('talos.config=http://10.0.0.1:8081/configdata?uuid=');
    assert.equal(imageUrl, 'http://10.0.0.1:8081/env/default');
  });
  it('fills an empty uuid into the URL, as Talos does, and leaves a full one alone', () => {
    assert.equal(configUrlFor('http://h/configdata?t=a&uuid=', 'u-1'), 'http://h/configdata?t=a&uuid=u-1');
    assert.equal(configUrlFor('http://h/configdata?uuid=x', 'u-1'), 'http://h/configdata?uuid=x');
    assert.equal(configUrlFor('http://h/configdata', 'u-1'), 'http://h/configdata');
  });
});

describe('the configuration of the stand-in', () => {
  it('is taken from all documents', () => {
    const text = [
      'version: v1alpha1',
      'machine:',
      '  install: {disk: /dev/vda}',
      '  network:',
      '    hostname: forge-1',
      '    interfaces:',
      '      - interface: eth0',
      '        addresses: [10.77.0.21/24]',
      '---',
      'apiVersion: v1alpha1',
      'kind: SideroLinkConfig',
      'apiUrl: grpc://10.77.0.1:8081',
    ].join('\n');
    assert.deepEqual(readStandInConfig(text), {
      hostname: 'forge-1',
      addresses: [{ interfaceName: 'eth0', cidr: '10.77.0.21/24' }],
      installDisk: '/dev/vda',
    });
  });
  it('of other shapes asks for nothing', () => {
    for (const text of ['', '[]', '7', 'machine: 7', 'machine: {network: [], install: 3}']) {
      assert.deepEqual(readStandInConfig(text), { addresses: [] });
    }
  });
  it('that is no YAML is refused', () => {
    assert.throws(() => readStandInConfig('a: [1'));
  });
});

describe('the disk of the stand-in', () => {
  it('has boot code without its table, one active EFI partition and the signature', () => {
    const sector = Buffer.from(bootSector(new Uint8Array(512).fill(0xaa), 1000));
    assert.ok(sector.subarray(0, 440).every((byte) => byte === 0xaa));
    assert.equal(sector.subarray(446, 462).toString('hex'), '80feffffeffeffff00080000e8030000');
    assert.ok(sector.subarray(462, 510).every((byte) => byte === 0));
    assert.equal(sector.readUInt16LE(510), 0xaa55);
  });
  it('boots at once and says what it is', () => {
    const menu = grubConfig('console=ttyS0 stand-in.boot=disk');
    assert.match(menu, /^set timeout=0$/m);
    assert.match(menu, /not Talos Linux/);
    assert.match(menu, /^linux \/vmlinuz console=ttyS0 stand-in\.boot=disk$/m);
  });
});
