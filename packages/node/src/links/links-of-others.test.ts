import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog } from '@bloomery/ports';
import { createKernelJournal } from '../kernel/kernel-journal.ts';
import { LinkSpec } from '../resources/links.ts';
import { LAYERED } from '../resources/machine-config.ts';
import { createFakeKernel } from '../testing/index.ts';
import { configOf, deviceOf, host, masterOf, startLinkWorld } from './testing/link-world.ts';

const none = { interfaces: [], deviceSelectors: [] };

describe('a link that two layers call by different names', () => {
  it('stays in its bond: one does not release what the other has enslaved', async () => {
    const kernel = createFakeKernel();
    kernel.plug({ name: 'eth0', altNames: ['enp0s3'] });
    await using world = await startLinkWorld(
      kernel,
      configOf([
        deviceOf('bond0', { bond: { ...none, options: { mode: 'active-backup', miimon: 100 } } }),
        deviceOf('eth0', { mtu: 1400 }),
      ]),
    );
    const member = LinkSpec.make({
      ...{ name: 'enp0s3', up: true, layer: 'cmdline' },
      bondSlave: { masterName: 'bond0', slaveIndex: 0 },
    });
    await world.runtime.put(LinkSpec, 'cmdline/enp0s3', member, { namespace: LAYERED });
    for (let i = 0; i < 3; i++) await world.runtime.advance(2_000);
    const operations = kernel.operations.length;
    for (let i = 0; i < 10; i++) await world.runtime.advance(2_000);
    assert.equal(masterOf(kernel, 'eth0'), 'bond0');
    assert.equal(kernel.operations.length, operations);
  });
});

describe('links that were there before the daemon', () => {
  it('are configured as others, and stay when the configuration lets go of them', async () => {
    const kernel = host('eth0');
    for (const [name, kind] of [
      ['br0', 'bridge'],
      ['dummy0', 'dummy'],
    ] as const)
      await kernel.links.create({ name, kind });
    const folder = mkdtempSync(join(tmpdir(), 'links-'));
    const journal = await createKernelJournal(kernel, { file: join(folder, 'undo.json'), log: silentLog });
    const bridge = { bridge: { ...none, interfaces: ['eth0'], stp: true } };
    const config = configOf([
      deviceOf('br0', bridge),
      deviceOf('dummy0', { dummy: true }),
      deviceOf('dummy1', { dummy: true }),
    ]);
    await using world = await startLinkWorld(journal, config);
    assert.equal(masterOf(kernel, 'eth0'), 'br0');
    await world.apply(configOf([]));
    assert.deepEqual(
      [...kernel.view.links.values()].map(({ name }) => name),
      ['lo', 'eth0', 'br0', 'dummy0'],
    );
    assert.equal(masterOf(kernel, 'eth0'), undefined);
    rmSync(folder, { recursive: true });
  });
});
