import type { Controller } from '@bloomery/cosi';
import { createNotices, layeredId } from '../layers/index.ts';
import { vlanLinkName } from '../links/vlan-link-name.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { DeviceConfigSpec } from '../resources/device-config.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { addressId, configuredAddresses, LOOPBACK_ADDRESS } from './configured-addresses.ts';
import { linkDocuments } from './link-document.ts';

/** Addresses of the configuration on layer `configuration`, and the loopback's on layer `default` where everything is looked after. */
export function addressConfigController({ settings }: Pick<NodeEnvironment, 'settings'>): Controller {
  const notices = createNotices('warn', 'address.unreadable');
  return {
    name: 'network.AddressConfigController',
    inputs: [
      { definition: DeviceConfigSpec, kind: 'weak' },
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
    ],
    outputs: [{ definition: AddressSpec, kind: 'shared' }],
    reconcile: (context) => {
      const devices = context.list(DeviceConfigSpec).map(({ spec }) => spec);
      const config = context.get(MachineConfig, ACTIVE_CONFIG)?.spec;
      const documents = config === undefined ? [] : linkDocuments(config);
      const { specs, unreadable } = configuredAddresses(devices, documents, vlanLinkName);
      const outputs = context.outputs(AddressSpec, { namespace: LAYERED });
      for (const spec of settings.manageAll ? [LOOPBACK_ADDRESS, ...specs] : specs) {
        outputs.put(layeredId(spec.layer === 'default' ? 'default' : 'configuration', addressId(spec)), spec);
      }
      outputs.finish();
      notices.say(
        context.log,
        unreadable.map(({ linkName, address }) => `${JSON.stringify(address)} of link ${linkName} is no address`),
      );
    },
  };
}
