import type { Controller } from '@bloomery/cosi';
import type { NodeEnvironment } from '../../node-environment.ts';
import { addressStatusController } from './address-status-controller.ts';
import { ethernetStatusController } from './ethernet-status-controller.ts';
import { hardwareAddressController } from './hardware-address-controller.ts';
import { linkStatusController } from './link-status-controller.ts';
import { routeStatusController } from './route-status-controller.ts';
import { routingRuleStatusController } from './routing-rule-status-controller.ts';

/** Controllers that show what the kernel has: links, addresses, routes, rules and network cards. */
export function statusControllers({ kernel }: Pick<NodeEnvironment, 'kernel'>): readonly Controller[] {
  return [
    linkStatusController(kernel),
    hardwareAddressController(),
    addressStatusController(kernel),
    routeStatusController(kernel),
    routingRuleStatusController(kernel),
    ethernetStatusController(kernel),
  ];
}
