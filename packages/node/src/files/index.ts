import type { Controller } from '@bloomery/cosi';
import type { NodeEnvironment } from '../node-environment.ts';
import { type EtcFileDeps, etcFileController } from './etc-file-controller.ts';

export { ETC_FILES, type EtcFileDeps } from './etc-file-controller.ts';
export * from './host-file-keeper.ts';

/** Files of the host that follow from the resources. */
export function fileControllers(
  environment: Pick<NodeEnvironment, 'clock' | 'settings'>,
  deps: EtcFileDeps,
): readonly Controller[] {
  return [etcFileController(environment, deps)];
}
