import { lookup } from 'node:dns/promises';
import type { Controller } from '@bloomery/cosi';
import {
  addressControllers,
  type ConfigStore,
  cmdlineControllers,
  configControllers,
  createEtcFiles,
  createNodeProxies,
  type HostDns,
  type HostFileKeeper,
  hostnameControllers,
  identityControllers,
  linkControllers,
  type NodeEnvironment,
  nameControllers,
  networkStatusControllers,
  operatorControllers,
  routeControllers,
  startHostDns,
  timeControllers,
} from '@bloomery/node';

/** What the controllers of a daemon are made of, beside its environment. */
export interface NodePartsDeps {
  readonly store: ConfigStore;
  readonly files: HostFileKeeper;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** All controllers of the daemon and what they share. Nothing runs yet. */
export interface NodeParts extends AsyncDisposable {
  readonly controllers: readonly Controller[];
  readonly dns: HostDns;
}

/** Put the areas of the daemon together, in the order in which a packet's life depends on them. */
export async function composeNode(environment: NodeEnvironment, deps: NodePartsDeps): Promise<NodeParts> {
  const { store, files, env } = deps;
  const proxies = createNodeProxies(environment, { processEnvironment: env, files });
  const dns = await startHostDns(environment);
  const etcFiles = createEtcFiles([]);
  const controllers = [
    ...configControllers(store),
    ...identityControllers(environment),
    ...proxies.controllers,
    ...cmdlineControllers(environment),
    ...nameControllers(environment),
    ...linkControllers(environment, {
      lookUpHost: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    }),
    ...addressControllers(environment),
    ...routeControllers(environment),
    ...operatorControllers(environment),
    ...hostnameControllers(environment, { hostFiles: files }),
    ...timeControllers(),
    ...networkStatusControllers(environment, { etcFiles }),
  ];
  return { controllers, dns, [Symbol.asyncDispose]: () => dns[Symbol.asyncDispose]() };
}
