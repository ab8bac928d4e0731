import type { Controller } from '@bloomery/cosi';
import { parseKernelArguments } from '../cmdline/kernel-arguments.ts';
import { layeredId } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { ACTIVE_CONFIG, LAYERED, LinkSpec, LinkStatus, MachineConfig, OperatorSpec } from '../resources/index.ts';
import { operatorId } from './operator-id.ts';
import { planOperators } from './plan-operators.ts';

/** Operators of the machine configuration, and DHCP by default. Those of kernel arguments have a controller of their own. */
export function operatorConfigController({ settings }: Pick<NodeEnvironment, 'settings'>): Controller {
  const ignored = parseKernelArguments(settings.cmdline).all('talos.network.interface.ignore');
  return {
    name: 'network.OperatorConfigController',
    inputs: [
      { definition: DeviceConfigSpec, kind: 'weak' },
      { definition: LinkStatus, kind: 'weak' },
      { definition: LinkSpec, namespace: LAYERED, kind: 'weak' },
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
    ],
    outputs: [{ definition: OperatorSpec, kind: 'shared' }],
    reconcile: (context) => {
      const specs = planOperators({
        config: context.get(MachineConfig, ACTIVE_CONFIG)?.spec,
        devices: context.list(DeviceConfigSpec).map(({ spec }) => spec),
        links: context.list(LinkStatus),
        linkSpecs: context.list(LinkSpec, { namespace: LAYERED }).map(({ spec }) => spec),
        ignored,
        manageAll: settings.manageAll,
      });
      const outputs = context.outputs(OperatorSpec, { namespace: LAYERED });
      for (const spec of specs) {
        outputs.put(layeredId(spec.layer === 'default' ? 'default' : 'configuration', operatorId(spec)), spec);
      }
      outputs.finish();
    },
  };
}
