import type { Controller } from '@bloomery/cosi';
import { parseApiEndpoint } from '@bloomery/siderolink';
import type { NodeSettings } from '../node-environment.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { SiderolinkConfig } from '../resources/siderolink.ts';
import { linkSettings } from './link-settings.ts';

/** Id of the one SiderolinkConfig. */
export const SIDEROLINK_CONFIG_ID = 'siderolink';

/** Says which API the machine joins: that of the document SideroLinkConfig, else of the kernel argument `siderolink.api`. */
export function siderolinkConfigController({ cmdline }: Pick<NodeSettings, 'cmdline'>): Controller {
  return {
    name: 'siderolink.ConfigController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [{ definition: SiderolinkConfig, kind: 'exclusive' }],
    reconcile: (context) => {
      const { api } = linkSettings(cmdline, context.get(MachineConfig, ACTIVE_CONFIG)?.spec);
      const outputs = context.outputs(SiderolinkConfig);
      if (api !== undefined) outputs.put(SIDEROLINK_CONFIG_ID, { apiEndpoint: api, ...parseApiEndpoint(api) });
      outputs.finish();
    },
  };
}
