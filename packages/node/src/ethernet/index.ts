import type { Controller } from '@bloomery/cosi';
import { createProblems } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { ethernetConfigController, ethernetSpecController } from './ethernet-controllers.ts';

/** Controllers of the settings of network cards: from EthernetConfig documents to ethtool. */
export function ethernetControllers(environment: Pick<NodeEnvironment, 'kernel' | 'random'>): readonly Controller[] {
  const problems = createProblems();
  return [ethernetConfigController(problems), ethernetSpecController(environment, problems)];
}
