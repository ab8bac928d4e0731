import type { Controller } from '@bloomery/cosi';
import { createNotices } from '../layers/index.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { planDevices } from './plan-devices.ts';

/** How long a start takes to know the links: before that it is too early to miss one. */
const STARTING_MS = 2_000;

/** Interfaces of the machine configuration, their selectors resolved among the links that there are. */
export function deviceConfigController(): Controller {
  const unmatched = createNotices('warn', 'device.unmatched');
  let startedMs: number | undefined;
  return {
    name: 'network.DeviceConfigController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: LinkStatus, kind: 'weak' },
    ],
    outputs: [{ definition: DeviceConfigSpec, kind: 'exclusive' }],
    reconcile: (context) => {
      const interfaces = context.get(MachineConfig, ACTIVE_CONFIG)?.spec.machine?.network.interfaces ?? [];
      const { devices, warnings } = planDevices(interfaces, context.list(LinkStatus));
      startedMs ??= context.clock.nowMs();
      const startingMs = startedMs + STARTING_MS - context.clock.nowMs();
      if (startingMs <= 0) unmatched.say(context.log, warnings);
      else if (warnings.length > 0) context.wakeAfter(startingMs);
      const outputs = context.outputs(DeviceConfigSpec);
      for (const [id, device] of devices) outputs.put(id, device);
      outputs.finish();
    },
  };
}
