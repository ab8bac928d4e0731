import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bmcFiles } from './bmc-files.ts';
import { makeMarkedDisk, remainingMarkers } from './disk-marker.ts';
import { rackMachine } from './machine-spec.ts';
import { ProcessRecord } from './process-record.ts';
import { type MachinePlace, qemuArguments } from './qemu-arguments.ts';

const place: MachinePlace = {
  disk: '/r/m1/disk.raw',
  uefiVariables: '/r/m1/vars.fd',
  consoleLog: '/r/m1/console.log',
  pidFile: '/r/m1/qemu.pid',
  tap: 'tap-m1',
  bmcPort: 9100,
};

describe('a machine of the rack', () => {
  it('is emulated, boots from the network before the disk and has its BMC inside', () => {
    const line = qemuArguments(rackMachine(1, 'bios'), place).join(' ');
    assert.match(line, /-machine pc,accel=tcg/);
    assert.match(line, /mac=52:54:00:77:00:01,bootindex=1 /);
    assert.match(line, /drive=d0,bootindex=2/);
    assert.match(line, /ipmi-bmc-extern,id=b0,chardev=bmc -device isa-ipmi-kcs,bmc=b0/);
    assert.ok(!line.includes('kvm') && !line.includes('pflash'));
  });
  it('with UEFI has variables of its own and no ROM on its network card', () => {
    const line = qemuArguments(rackMachine(2, 'uefi'), place).join(' ');
    assert.match(line, /-machine q35,accel=tcg/);
    assert.match(line, /if=pflash,format=raw,file=\/r\/m1\/vars\.fd/);
    assert.match(line, /bootindex=1,romfile= /);
  });
  it('has a BMC that powers it and reports its own address', () => {
    const files = bmcFiles(rackMachine(1, 'bios'), place, '/r/m1');
    assert.match(files['lan.conf'], /addr 10\.77\.0\.101 623/);
    assert.match(files['lan.conf'], /chassis_control "\/r\/m1\/chassis\.sh 0x20"/);
    assert.match(files['chassis.sh'], /setsid qemu-system-x86_64 '-machine' 'pc,accel=tcg'/);
    assert.match(files['lan-config.sh'], /echo 'ip_addr:10\.77\.0\.101'/);
  });
});

describe('in a rack', () => {
  let dir = '';
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-rack-'));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('a disk begins with its markers, and a wipe of them is seen', () => {
    const path = join(dir, 'disk');
    makeMarkedDisk(path, 4 << 20);
    assert.deepEqual(remainingMarkers(path, 4 << 20), ['begin', 'middle', 'end']);
    writeFileSync(path, Buffer.alloc(4096), { flag: 'r+' });
    assert.deepEqual(remainingMarkers(path, 4 << 20), ['middle', 'end']);
  });
  it('exactly the recorded processes are ended, also by another run', async () => {
    const stranger = spawn('sleep', ['60']);
    new ProcessRecord(dir).start({ what: 'ours', command: ['sleep', '60'], logFile: join(dir, 'log') });
    const later = new ProcessRecord(dir);
    assert.equal(later.isRunning('ours'), true);
    await later.stopAll();
    assert.equal(later.isRunning('ours'), false);
    assert.equal(stranger.exitCode, null);
    stranger.kill();
  });
});
