import type { NodeCommandDeps } from './node-command.ts';
import type { NodeOptions } from './node-options.ts';

/** Compose the daemon and run it until the signal. */
export async function runNode(_options: NodeOptions, _deps: NodeCommandDeps): Promise<void> {}
