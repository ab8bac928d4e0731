import type { Controller } from '@bloomery/cosi';
import { linkDocuments } from '../addresses/link-document.ts';
import { createNotices, layeredId } from '../layers/index.ts';
import { vlanLinkName } from '../links/vlan-link-name.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { RouteSpec } from '../resources/routes.ts';
import { configuredRoutes } from './configured-routes.ts';
import { routeId } from './route-id.ts';

/** Routes of the configuration on layer `configuration`. */
export function routeConfigController(): Controller {
  const notices = createNotices('warn', 'route.unreadable');
  return {
    name: 'network.RouteConfigController',
    inputs: [
      { definition: DeviceConfigSpec, kind: 'weak' },
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
    ],
    outputs: [{ definition: RouteSpec, kind: 'shared' }],
    reconcile: (context) => {
      const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
      const { specs, unreadable } = configuredRoutes({
        devices: context.list(DeviceConfigSpec).map(({ spec }) => spec),
        linkDocuments: config === undefined ? [] : linkDocuments(config),
        documents: config?.documents ?? [],
        vlanName: vlanLinkName,
      });
      const outputs = context.outputs(RouteSpec, { namespace: LAYERED });
      for (const spec of specs) outputs.put(layeredId('configuration', routeId(spec)), spec);
      outputs.finish();
      notices.say(context.log, unreadable);
    },
  };
}
