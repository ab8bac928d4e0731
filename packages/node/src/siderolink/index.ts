import type { Controller } from '@bloomery/cosi';
import { eventsController } from '../api/events-controller.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { siderolinkConfigController } from './config-controller.ts';
import { siderolinkManagerController } from './manager-controller.ts';
import { createNodeLink, type NodeLinkDeps } from './node-link.ts';
import { siderolinkStatusController } from './status-controller.ts';

export type { NodeLinkDeps } from './node-link.ts';

/**
 * The machine's end of SideroLink: joined as the configuration or the kernel arguments say, and over it the kernel's log and the
 * events that `talosctl events` shows.
 *
 * @see spec/siderolink.md section 11
 */
export function siderolinkControllers(
  environment: Pick<NodeEnvironment, 'clock' | 'log' | 'random' | 'settings'>,
  deps: NodeLinkDeps,
): readonly Controller[] {
  const link = createNodeLink(environment, deps);
  return [
    siderolinkConfigController(environment.settings),
    siderolinkManagerController(environment.settings, link),
    siderolinkStatusController(link),
    { ...eventsController(link), name: 'runtime.EventsSinkController' },
  ];
}
