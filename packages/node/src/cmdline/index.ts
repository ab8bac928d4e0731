import type { Controller } from '@bloomery/cosi';
import type { NodeEnvironment } from '../node-environment.ts';
import { cmdlineController } from './cmdline-controller.ts';

export * from './kernel-arguments.ts';

/** Controllers of the kernel arguments. */
export function cmdlineControllers(environment: Pick<NodeEnvironment, 'settings'>): readonly Controller[] {
  return [cmdlineController(environment)];
}
