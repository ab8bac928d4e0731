import type { Controller } from '@bloomery/cosi';
import { createNotices } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { planDevices } from './plan-devices.ts';
import { createStartGate } from './start-gate.ts';

/** Interfaces of the machine configuration, their selectors resolved among the links that there are. */
export function deviceConfigController({ kernel }: Partial<Pick<NodeEnvironment, 'kernel'>> = {}): Controller {
  const unmatched = createNotices('warn', 'device.unmatched');
  const isOpen = createStartGate(kernel?.view);
  return {
    name: 'network.DeviceConfigController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: LinkStatus, kind: 'weak' },
    ],
    outputs: [{ definition: DeviceConfigSpec, kind: 'exclusive' }],
    reconcile: (context) => {
      const links = context.list(LinkStatus);
      if (!isOpen(context, links)) return;
      const interfaces = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.machine?.network.interfaces ?? [];
      const { devices, warnings } = planDevices(interfaces, links);
      unmatched.say(context.log, warnings);
      const outputs = context.outputs(DeviceConfigSpec);
      for (const [id, device] of devices) outputs.put(id, device);
      outputs.finish();
    },
  };
}
