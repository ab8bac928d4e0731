import assert from 'node:assert/strict';
import { openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { followMachines, type Lab, powerOnMachines, rackMachine } from '../packages/lab/src/index.ts';
import { say, startTestLab, whyNoLab } from './testing.ts';

const TIMEOUT_MS = 15 * 60_000;
const MIB = 1 << 20;

describe('a machine of a cluster that is deleted', { skip: whyNoLab(), timeout: TIMEOUT_MS }, () => {
  const machine = rackMachine(3, 'bios');
  let lab: Lab;
  before(async () => {
    lab = await startTestLab('rel', 3, [machine]);
  });
  after(() => lab?.stop());
  const firstMib = (): Buffer => {
    const head = Buffer.alloc(MIB);
    readSync(openSync(join(lab.rack.machineDir(machine), 'disk.raw'), 'r'), head, 0, MIB, 0);
    return head;
  };

  it('is powered, wiped again, clean and available', async () => {
    await lab.applyExample('cluster.yaml', ['forge']);
    await lab.applyExample('third-machine.yaml');
    await powerOnMachines({ ...lab, machines: [machine], say });
    await followMachines({ ...lab, machines: [machine], until: ['RunsFromDisk'], timeoutMs: TIMEOUT_MS, say });
    assert.ok(firstMib().some((byte) => byte !== 0));
    const firstWipe = lab.watch.sight(machine).server?.status?.wipe?.finishedAt;

    // Its control plane never came: nobody answers for the workload cluster, and nothing may wait for that.
    await lab.kubectl('delete', 'cluster', 'forge', '--wait=false');
    say('kubectl: cluster forge deleted');
    const until = Date.now() + TIMEOUT_MS;
    let phase = '';
    for (;;) {
      const { server, binding } = lab.watch.sight(machine);
      const status = server?.status;
      if (status?.phase !== undefined && status.phase !== phase) {
        phase = status.phase;
        say(`${machine.name}  ${phase}  ${status.waitingFor ?? ''}`);
      }
      if (binding === undefined && status?.isClean === true && status.wipe?.finishedAt !== firstWipe) break;
      assert.ok(Date.now() < until, `still ${phase} ${status?.waitingFor ?? ''}`);
      await sleep(250);
    }
    assert.equal(lab.watch.metalMachine('forge-3'), undefined);
    const { cluster, machines } = lab.watch.cluster('forge');
    assert.deepEqual([cluster, machines], [undefined, []]);
    assert.ok(firstMib().every((byte) => byte === 0));
  });
});
