import type { Controller } from '@bloomery/cosi';
import { parseKernelArguments } from '../cmdline/kernel-arguments.ts';
import { createNotices, layeredId } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { LinkSpec, LinkStatus } from '../resources/links.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { planLinks } from './plan-links.ts';

/** Links of the machine configuration, and those that are up by default. Kernel arguments have a controller of their own. */
export function linkConfigController({ settings }: Pick<NodeEnvironment, 'settings'>): Controller {
  const conflicts = createNotices('warn', 'link.conflict');
  const names = createNotices('info', 'link.named');
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
      const byCmdline = context.list(LinkSpec, { namespace: LAYERED }).filter(({ spec }) => spec.layer === 'cmdline');
      const { specs, warnings, hints } = planLinks({
        config: context.get(MachineConfig, ACTIVE_CONFIG)?.spec,
        devices: context.list(DeviceConfigSpec),
        links: context.list(LinkStatus),
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
