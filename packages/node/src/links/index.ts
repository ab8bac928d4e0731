import type { Controller } from '@bloomery/cosi';
import { BloomeryError } from '@bloomery/ports';
import { createProblems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { deviceConfigController } from './device-config-controller.ts';
import type { LookUpHost } from './host-look-ups.ts';
import { linkAliasControllers } from './link-alias-controllers.ts';
import { linkConfigController } from './link-config-controller.ts';
import { linkMergeController } from './link-merge-controller.ts';
import { linkSpecController } from './link-spec-controller.ts';

export type { LookUpHost } from './host-look-ups.ts';

export interface LinkOptions {
  /** For WireGuard endpoints that are host names; without it they cannot be used. */
  readonly lookUpHost?: LookUpHost;
}

/** Everything of links: device selectors, links from the configuration to the kernel, aliases. */
export function linkControllers(environment: NodeEnvironment, options: LinkOptions = {}): readonly Controller[] {
  const problems = createProblems();
  return [
    deviceConfigController(environment),
    linkConfigController(environment),
    linkMergeController(problems),
    linkSpecController(environment, problems, options.lookUpHost ?? noLookUp),
    ...linkAliasControllers(environment),
  ];
}

const noLookUp: LookUpHost = async (host) => {
  throw new BloomeryError('BLM_NODE_LINK_REFUSED', `host names are not looked up here: ${host}`);
};
