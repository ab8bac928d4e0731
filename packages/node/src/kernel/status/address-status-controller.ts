import type { Controller } from '@bloomery/cosi';
import { AddressStatus } from '../../resources/addresses.ts';
import { FAMILY, SCOPE } from '../../resources/enumerations.ts';
import type { Kernel, KernelAddress, KernelView } from '../kernel.ts';
import { addressKey } from '../kernel-keys.ts';
import { createNameWatch, deltaController, type Shown } from './delta-controller.ts';
import { nameOfNumber } from './named-numbers.ts';

/** Addresses as the kernel has them: id `link/address/length`. */
export function addressStatusController(kernel: Kernel): Controller {
  const renamed = createNameWatch(kernel.view);
  return deltaController({
    name: 'network.AddressStatusController',
    definition: AddressStatus,
    kernel,
    all: (view) => view.addresses.keys(),
    touchedBy: (change, view) => {
      if (change.of === 'address') return [addressKey(change.address)];
      const index = renamed(change);
      if (index === undefined) return [];
      return [...view.addresses.values()].filter(({ linkIndex }) => linkIndex === index).map(addressKey);
    },
    show: (key, view) => {
      const address = view.addresses.get(key);
      return address === undefined ? undefined : shownAddress(address, view);
    },
  });
}

function shownAddress(address: KernelAddress, view: KernelView): Shown<AddressStatus> {
  const linkName = view.links.get(address.linkIndex)?.name ?? '';
  return {
    id: `${linkName}/${address.address}`,
    spec: AddressStatus.make({
      address: address.address,
      local: address.local,
      broadcast: address.broadcast,
      anycast: address.anycast,
      multicast: address.multicast,
      linkIndex: address.linkIndex,
      linkName,
      family: nameOfNumber(FAMILY, address.family),
      scope: nameOfNumber(SCOPE, address.scope),
      flags: address.flags,
      priority: address.priority,
    }),
  };
}
