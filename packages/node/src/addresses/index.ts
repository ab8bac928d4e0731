import type { Controller } from '@bloomery/cosi';
import { createProblems, mergeController } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { addressConfigController } from './address-config-controller.ts';
import { addressSpecController } from './address-spec-controller.ts';
import { addressId } from './configured-addresses.ts';
import { addressFilterController, nodeAddressController, sortAlgorithmController } from './node-address-controllers.ts';

export * from './address-order.ts';
export * from './configured-addresses.ts';
export * from './link-document.ts';

/** Controllers of addresses: from the configuration over the layers to the kernel, and which of them stand for the node. */
export function addressControllers(environment: NodeEnvironment): readonly Controller[] {
  const problems = createProblems();
  return [
    addressConfigController(environment),
    mergeController({ name: 'network.AddressMergeController', definition: AddressSpec, idOf: addressId, problems }),
    addressSpecController(environment, problems),
    sortAlgorithmController(),
    addressFilterController(),
    nodeAddressController(),
  ];
}
