import type { Controller } from '@bloomery/cosi';
import { HardwareAddress, LinkStatus } from '../../resources/links.ts';

const FIRST = 'first';

/** The hardware address of the first physical link, in the order of their names: id `first`. */
export function hardwareAddressController(): Controller {
  return {
    name: 'network.HardwareAddrController',
    inputs: [{ definition: LinkStatus, kind: 'weak' }],
    outputs: [{ definition: HardwareAddress, kind: 'exclusive' }],
    reconcile: (context) => {
      const tracked = context.outputs(HardwareAddress);
      const physical = context.list(LinkStatus).find(({ spec }) => spec.type === 'ether' && spec.kind === '');
      if (physical !== undefined)
        tracked.put(FIRST, { name: physical.metadata.id, hardwareAddr: physical.spec.hardwareAddr });
      tracked.finish();
    },
  };
}
