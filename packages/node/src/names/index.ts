import type { Controller } from '@bloomery/cosi';
import type { NodeEnvironment } from '../node-environment.ts';
import { devicesController } from './devices-controller.ts';
import { openSysfs } from './sysfs.ts';

export interface NameOptions {
  /** Value of NET_NAMING_SCHEME, which wins over the kernel argument net.naming_scheme. */
  readonly namingScheme?: string;
}

/** Predictable names of links. */
export function nameControllers(
  environment: Pick<NodeEnvironment, 'kernel' | 'settings'>,
  options: NameOptions = {},
): readonly Controller[] {
  return [devicesController(environment, { ...options, sysfs: openSysfs(environment.settings.root) })];
}
