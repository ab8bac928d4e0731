import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestRuntime } from '@bloomery/cosi/testing';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { LinkSpec, LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { createFakeKernel, testSettings } from '../testing/index.ts';
import { linkConfigController } from './link-config-controller.ts';
import { configOf, deviceOf } from './testing/link-world.ts';

const definitions = [MachineConfig, DeviceConfigSpec, LinkStatus];
const settings = testSettings({ manageAll: true });
const status = LinkStatus.make({ type: 'ether' });
const at = { namespace: LAYERED };

describe('links of the configuration', () => {
  it('wait until the devices are those of the configuration: between the two, links would come and go', async () => {
    await using runtime = startTestRuntime([linkConfigController({ settings })], { definitions });
    const ids = (): readonly string[] => Object.keys(runtime.specs(LinkSpec, at));
    await runtime.put(LinkStatus, 'eth0', status);
    assert.deepEqual(ids(), ['default/eth0', 'default/lo']);
    await runtime.put(MachineConfig, ACTIVE_CONFIG, configOf([deviceOf('eth1'), deviceOf('eth0')]));
    assert.deepEqual(ids(), ['default/eth0', 'default/lo']);
    await runtime.put(DeviceConfigSpec, 'eth1/000', deviceOf('eth1'));
    assert.deepEqual(ids(), ['default/eth0', 'default/lo']);
    await runtime.put(DeviceConfigSpec, 'eth0/001', deviceOf('eth0'));
    assert.deepEqual(ids(), ['configuration/eth0', 'configuration/eth1', 'default/lo']);
  });

  it('wait until all links of the kernel are shown, and at a start no longer than two seconds', async () => {
    for (const isShown of [true, false]) {
      const kernel = createFakeKernel();
      kernel.plug({ name: 'eth0' });
      await using runtime = startTestRuntime([linkConfigController({ settings, kernel })], { definitions });
      await runtime.put(LinkStatus, 'lo', LinkStatus.make({ type: 'loopback' }));
      assert.deepEqual(runtime.specs(LinkSpec, at), {});
      if (isShown) await runtime.put(LinkStatus, 'eth0', status);
      else await runtime.advance(2_000);
      assert.equal(Object.keys(runtime.specs(LinkSpec, at)).length, isShown ? 2 : 1);
      // Later ones are taken as they come.
      kernel.plug({ name: 'eth1' });
      await runtime.put(LinkStatus, 'eth2', status);
      assert.equal('default/eth2' in runtime.specs(LinkSpec, at), true);
    }
  });

  it('leave out what kernel arguments say to leave alone, or configure themselves', async () => {
    const cmdline = 'talos.network.interface.ignore=eth0 quiet';
    const controller = linkConfigController({ settings: testSettings({ manageAll: true, cmdline }) });
    await using runtime = startTestRuntime([controller], { definitions });
    for (const name of ['eth0', 'eth1', 'eth2']) await runtime.put(LinkStatus, name, status);
    await runtime.put(LinkSpec, 'cmdline/eth1', LinkSpec.make({ name: 'eth1', layer: 'cmdline' }), at);
    assert.deepEqual(Object.keys(runtime.specs(LinkSpec, at)), ['cmdline/eth1', 'default/eth2', 'default/lo']);
  });
});
