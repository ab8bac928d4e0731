import type { Controller } from '@bloomery/cosi';
import type { Environment } from '@bloomery/siderolink';
import { parseKernelArguments } from '../cmdline/kernel-arguments.ts';
import type { HostFileKeeper } from '../files/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { kernelVariables } from './configured-variables.ts';
import { environmentController } from './environment-controller.ts';
import { createNodeVariables } from './node-variables.ts';
import { createProxyDialer, type ProxyDialer } from './proxy-dialer.ts';
import { createNodeAuthorities, trustedRootsController } from './trusted-roots-controller.ts';

export type { ProxyDialer } from './proxy-dialer.ts';

/** What corporate proxies need of the daemon. */
export interface NodeProxies {
  readonly controllers: readonly Controller[];
  /** For everything the daemon dials that may be behind a proxy. */
  readonly dialer: ProxyDialer;
}

export interface NodeProxiesDeps {
  /** The environment of the process, of which only variables of proxies count. */
  readonly processEnvironment: Environment;
  readonly files: HostFileKeeper;
}

/** Environment variables and authorities of the configuration, and the dialer that follows them without a restart. */
export function createNodeProxies(
  { clock, log, settings }: Pick<NodeEnvironment, 'clock' | 'log' | 'settings'>,
  { processEnvironment, files }: NodeProxiesDeps,
): NodeProxies {
  const byKernel = kernelVariables(parseKernelArguments(settings.cmdline));
  for (const problem of byKernel.problems) log.warn('environment.leftOut', { notice: problem });
  const variables = createNodeVariables(processEnvironment, byKernel.variables);
  const authorities = createNodeAuthorities();
  return {
    controllers: [environmentController(variables), trustedRootsController({ clock, settings }, authorities, files)],
    dialer: createProxyDialer({ clock, environment: variables.current, authorities: authorities.current }),
  };
}
