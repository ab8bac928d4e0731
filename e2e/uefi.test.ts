import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { followMachines, type Lab, powerOnMachines, rackMachine } from '../packages/lab/src/index.ts';
import { say, startTestLab, whyNoLab } from './testing.ts';

const TIMEOUT_MS = 15 * 60_000;

describe('a bare UEFI machine', { skip: whyNoLab(), timeout: TIMEOUT_MS }, () => {
  const machine = rackMachine(2, 'uefi');
  let lab: Lab;
  before(async () => {
    lab = await startTestLab('uefi', 2, [machine]);
  });
  after(() => lab?.stop());
  const follow = (until: 'SwitchedOff' | 'RunsFromDisk') =>
    followMachines({ ...lab, machines: [machine], until, timeoutMs: TIMEOUT_MS, say });

  it('is inventoried, accepted, wiped, given a BMC user and switched off', async () => {
    assert.deepEqual(lab.rack.markers(machine), ['begin', 'middle', 'end']);
    await powerOnMachines({ ...lab, machines: [machine], say });
    await follow('SwitchedOff');
    assert.deepEqual(lab.rack.markers(machine), []);
    const { server } = lab.watch.sight(machine);
    assert.equal(server?.spec?.hardware?.system?.serialNumber, machine.serialNumber);
    assert.equal(server?.spec?.bmc?.endpoint, machine.bmcAddress);
    assert.equal(server?.status?.isClean, true);
  });

  it('is allocated, boots its system over the network, is configured, installed and then boots from disk', async () => {
    await lab.applyExample('cluster.yaml', ['forge', 'forge-1']);
    await follow('RunsFromDisk');
    const { binding, metalMachine } = lab.watch.sight(machine);
    assert.equal(binding?.spec?.hostname, 'forge-1');
    assert.ok(binding?.spec?.addresses?.includes('10.77.0.21'));
    assert.equal(metalMachine?.spec?.providerID, `sidero://${machine.uuid}`);
    assert.match(lab.rack.consoleText(machine), /standin\.ready .*boot=disk .*hostname=forge-1/);
  });
});
