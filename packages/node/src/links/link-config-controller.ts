import { isDeepStrictEqual } from 'node:util';
import type { Controller, Resource } from '@bloomery/cosi';
import { parseKernelArguments } from '../cmdline/kernel-arguments.ts';
import type { Device, NodeConfig } from '../config/node-config.ts';
import { createNotices, layeredId } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { LinkSpec, LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { planDevices } from './plan-devices.ts';
import { planLinks } from './plan-links.ts';
import { createStartGate } from './start-gate.ts';

type LinkConfigDeps = Pick<NodeEnvironment, 'settings'> & Partial<Pick<NodeEnvironment, 'kernel'>>;

/** Links of the machine configuration, and those that are up by default. Kernel arguments have a controller of their own. */
export function linkConfigController({ settings, kernel }: LinkConfigDeps): Controller {
  const conflicts = createNotices('warn', 'link.conflict');
  const names = createNotices('info', 'link.named');
  const isOpen = createStartGate(kernel?.view);
  const ignored = parseKernelArguments(settings.cmdline).all('talos.network.interface.ignore');
  return {
    name: 'network.LinkConfigController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: DeviceConfigSpec, kind: 'weak' },
      { definition: LinkStatus, kind: 'weak' },
      { definition: LinkSpec, namespace: LAYERED, kind: 'weak' },
    ],
    outputs: [{ definition: LinkSpec, kind: 'shared' }],
    reconcile: (context) => {
      const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
      const links = context.list(LinkStatus);
      const devices = context.list(DeviceConfigSpec);
      if (!isOpen(context, links) || !isCurrent(devices, config, links)) return;
      const byCmdline = context.list(LinkSpec, { namespace: LAYERED }).filter(({ spec }) => spec.layer === 'cmdline');
      const { specs, warnings, hints } = planLinks({
        config,
        devices,
        links,
        byKernelArguments: [...ignored, ...byCmdline.map(({ spec }) => spec.name)],
        manageAll: settings.manageAll,
      });
      conflicts.say(context.log, warnings);
      names.say(context.log, hints);
      const outputs = context.outputs(LinkSpec, { namespace: LAYERED });
      for (const spec of specs)
        outputs.put(layeredId(spec.layer === 'default' ? 'default' : 'configuration', spec.name), spec);
      outputs.finish();
    },
  };
}

/**
 * Whether the devices are those of this configuration and these links. While they are not, their own controller has yet to see what
 * has changed; what it then writes wakes this one.
 */
function isCurrent(
  devices: readonly Resource<Device>[],
  config: NodeConfig | undefined,
  links: readonly Resource<LinkStatus>[],
): boolean {
  const planned = planDevices(config?.machine?.network.interfaces ?? [], links).devices;
  return (
    planned.size === devices.length &&
    devices.every(({ metadata: { id }, spec }) => isDeepStrictEqual(planned.get(id), spec))
  );
}
