import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { FAMILY, ROUTING_RULE_ACTION, ROUTING_TABLE } from '../../resources/enumerations.ts';
import { RoutingRuleStatus } from '../../resources/routes.ts';
import type { Kernel, KernelRule } from '../kernel.ts';
import { nameOfNumber } from './named-numbers.ts';

const PRIORITY_DIGITS = 5;

/** Rules as the kernel has them: id `family/priority`, of several with the same the last. There are few: each change shows all. */
export function routingRuleStatusController(kernel: Kernel): Controller {
  return {
    name: 'network.RoutingRuleStatusController',
    inputs: [],
    outputs: [{ definition: RoutingRuleStatus, kind: 'exclusive' }],
    wakes: [
      {
        listen: (wake) =>
          kernel.listen(({ of }) => {
            if (of === 'rule' || of === 'all') wake();
          }),
      },
    ],
    reconcile: (context: ReconcileContext) => {
      const tracked = context.outputs(RoutingRuleStatus);
      for (const rule of new Map(kernel.view.rules.map((one) => [idOf(one), one])).values())
        tracked.put(idOf(rule), specOf(rule));
      tracked.finish();
    },
  };
}

function idOf({ family, priority }: KernelRule): string {
  return `${nameOfNumber(FAMILY, family)}/${String(priority).padStart(PRIORITY_DIGITS, '0')}`;
}

function specOf(rule: KernelRule): RoutingRuleStatus {
  return RoutingRuleStatus.make({
    family: nameOfNumber(FAMILY, rule.family),
    src: rule.source,
    dst: rule.destination,
    table: nameOfNumber(ROUTING_TABLE, rule.table),
    priority: rule.priority,
    action: nameOfNumber(ROUTING_RULE_ACTION, rule.action),
    iifName: rule.iifName,
    oifName: rule.oifName,
    fwMark: rule.fwMark,
    fwMask: rule.fwMask,
  });
}
