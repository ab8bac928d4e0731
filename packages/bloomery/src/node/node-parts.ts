import { lookup } from 'node:dns/promises';
import type { Controller } from '@bloomery/cosi';
import {
  addressControllers,
  type ConfigStore,
  cmdlineControllers,
  configControllers,
  createEtcFiles,
  createNodeProxies,
  type DhcpTransports,
  ETC_FILES,
  ethernetControllers,
  fileControllers,
  type HostDns,
  type HostFileKeeper,
  hostDnsControllers,
  hostnameControllers,
  identityControllers,
  leftoverControllers,
  linkControllers,
  type NodeEnvironment,
  nameControllers,
  networkStatusControllers,
  operatorControllers,
  resolverControllers,
  routeControllers,
  siderolinkControllers,
  startHostDns,
  statusControllers,
  timeControllers,
} from '@bloomery/node';
import type { UniqueTokenStore } from '@bloomery/siderolink';

/** What the controllers of a daemon are made of, beside its environment. */
export interface NodePartsDeps {
  readonly store: ConfigStore;
  readonly files: HostFileKeeper;
  /** Of the process: only variables of proxies count. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the machine remembers who it is to the server of its link. */
  readonly uniqueToken: UniqueTokenStore;
  /** How DHCP clients speak; by sockets of this host unless given. */
  readonly dhcp?: DhcpTransports;
}

/** All controllers of the daemon and what they share. Nothing runs yet. */
export interface NodeParts extends AsyncDisposable {
  /** Those that work with this host only: its configuration, kernel and files. */
  readonly inward: readonly Controller[];
  /** Those that listen, or speak with others. */
  readonly outward: readonly Controller[];
  readonly dns: HostDns;
  /** Resolves when the name server has been told by the configuration where to listen. */
  readonly dnsSettled: () => Promise<void>;
}

/** Put the areas of the daemon together: sources of specs, then what each concept of the network makes of them. */
export async function composeNode(environment: NodeEnvironment, deps: NodePartsDeps): Promise<NodeParts> {
  const { store, files, env, uniqueToken, dhcp } = deps;
  const proxies = createNodeProxies(environment, { processEnvironment: env, files });
  await using stack = new AsyncDisposableStack();
  const dns = stack.use(await startHostDns({ ...environment, dialer: proxies.dialer }));
  const etcFiles = createEtcFiles(environment.settings.hostFiles ? ETC_FILES : []);
  const dnsConfigured = Promise.withResolvers<void>();
  const inward = [
    ...configControllers(store),
    ...identityControllers(environment),
    ...proxies.controllers,
    ...cmdlineControllers(environment),
    ...operatorControllers(environment, dhcp),
    ...statusControllers(environment),
    ...ethernetControllers(environment),
    ...nameControllers(environment, schemeOf(env)),
    ...linkControllers(environment, { lookUpHost }),
    ...addressControllers(environment),
    ...routeControllers(environment),
    ...hostnameControllers(environment, { hostFiles: files }),
    ...timeControllers(),
    ...resolverControllers(environment, files),
    ...fileControllers(environment, { files, etcFiles }),
    ...leftoverControllers(environment),
  ];
  const outward = [
    ...hostDnsControllers(environment, dns, { onConfigured: dnsConfigured.resolve }),
    ...networkStatusControllers(environment, { etcFiles }),
    ...siderolinkControllers(environment, { dialer: proxies.dialer, uniqueToken }),
  ];
  const dnsSettled = (): Promise<void> => dnsConfigured.promise;
  const owned = stack.move();
  return { inward, outward, dns, dnsSettled, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const lookUpHost = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address);

function schemeOf(env: NodePartsDeps['env']): { readonly namingScheme?: string } {
  const namingScheme = env['NET_NAMING_SCHEME'];
  return namingScheme === undefined ? {} : { namingScheme };
}
