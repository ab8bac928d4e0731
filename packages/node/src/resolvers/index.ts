import type { Controller } from '@bloomery/cosi';
import type { HostFileKeeper } from '../files/index.ts';
import { mergeController } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { ResolverSpec } from '../resources/names.ts';
import { mergeResolvers, RESOLVERS_ID } from './merge-resolvers.ts';
import { resolverConfigController, resolverSpecController } from './resolver-controllers.ts';

export * from './merge-resolvers.ts';

/** Resolvers from the configuration over the layers to those that are in force. */
export function resolverControllers(
  environment: Pick<NodeEnvironment, 'clock' | 'settings'>,
  files: Pick<HostFileKeeper, 'original'>,
): readonly Controller[] {
  return [
    resolverConfigController(environment, files),
    mergeController({
      name: 'network.ResolverMergeController',
      definition: ResolverSpec,
      idOf: () => RESOLVERS_ID,
      merge: mergeResolvers,
    }),
    resolverSpecController(),
  ];
}
