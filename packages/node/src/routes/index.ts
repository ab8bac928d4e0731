import type { Controller } from '@bloomery/cosi';
import { createProblems, mergeController } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { RouteSpec, RoutingRuleSpec } from '../resources/routes.ts';
import { routeConfigController } from './route-config-controller.ts';
import { routeId } from './route-id.ts';
import { routeSpecController } from './route-spec-controller.ts';
import { routingRuleConfigController, routingRuleSpecController } from './routing-rule-controllers.ts';
import { routingRuleId } from './routing-rules.ts';

export * from './route-id.ts';
export * from './route-spec.ts';

/** Controllers of routes and routing rules: from the configuration over the layers to the kernel. */
export function routeControllers(environment: NodeEnvironment): readonly Controller[] {
  const problems = createProblems();
  const ruleProblems = createProblems();
  return [
    routeConfigController(),
    mergeController({ name: 'network.RouteMergeController', definition: RouteSpec, idOf: routeId, problems }),
    routeSpecController(environment, problems),
    routingRuleConfigController(),
    mergeController({
      name: 'network.RoutingRuleMergeController',
      definition: RoutingRuleSpec,
      idOf: routingRuleId,
      problems: ruleProblems,
    }),
    routingRuleSpecController(environment, ruleProblems),
  ];
}
