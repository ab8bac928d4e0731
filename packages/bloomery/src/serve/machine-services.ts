import { join } from 'node:path';
import type { EventRecorder, ObjectClient, WritableObjectCache } from '@bloomery/kube';
import {
  type BootSessions,
  createAgentService,
  createFinalConfig,
  createLinkApiOf,
  createMetadataRoute,
  createServerNames,
  type FinalConfig,
  followJoinTokens,
  type LinkView,
  startBootServices,
  startLink,
  type Timeline,
  type WipeBudget,
} from '@bloomery/plane';
import { type BoundAddress, type Clock, hostPort, type Logger, type RandomBytes } from '@bloomery/ports';
import { type LinkIdentity, linkApiText } from '@bloomery/siderolink';
import type { Endpoints } from './data-dir.ts';
import type { MachineRecords } from './machine-records.ts';
import type { ServeOptions } from './options.ts';
import { interfaceAddressOf } from './own-address.ts';

/** What the services that machines talk to need. The cache must have been filled once. */
export interface MachineServicesDeps {
  /** What machines are told unless the options say otherwise. */
  readonly advertiseHost: string;
  readonly identity: LinkIdentity;
  readonly client: ObjectClient;
  readonly cache: WritableObjectCache;
  readonly events: EventRecorder;
  readonly timeline: Timeline;
  readonly sessions: BootSessions;
  readonly budget: WipeBudget;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
  readonly records: MachineRecords;
}

/** Everything that machines talk to: the link, and the boot services with agent API and metadata. */
export interface MachineServices extends AsyncDisposable {
  readonly endpoints: Pick<Endpoints, 'http' | 'grpc' | 'tftp' | 'dhcp' | 'siderolink'>;
  readonly link: LinkView;
  /** What a machine would be served. */
  readonly finalConfig: FinalConfig;
}

/**
 * Start the link, then the boot services: a machine that boots must find its link.
 *
 * @throws when the machine port cannot be bound; what else cannot start is logged and left out.
 */
export async function startMachineServices(options: ServeOptions, deps: MachineServicesDeps): Promise<MachineServices> {
  const { advertiseHost, identity, client, cache, events, timeline, sessions, budget, clock, log, random } = deps;
  const { dataDir } = options;
  await using cleanup = new AsyncDisposableStack();
  if (!options.dhcpProxy && !options.insecureMetadata) {
    log.info('dhcp_proxy.disabled', {
      why: 'DHCP of machines is not seen: only boots that are begun through a BMC are expected and get a token',
    });
  }
  const serverName = createServerNames(cache);
  const tokens = await followJoinTokens({ required: options.requireJoinToken }, { client, clock, log, random });
  cleanup.use(tokens);
  const tunnelPolicy = options.siderolinkTunnel;
  const linkApi = createLinkApiOf({ tls: options.tls !== undefined, tunnelPolicy, cache, tokens });
  const link = await startLink(
    {
      mode: options.wireguard,
      listenPort: options.siderolinkListen.port,
      advertise: () =>
        options.siderolinkAdvertise.length > 0 ? options.siderolinkAdvertise : [{ host: advertiseHost }],
      negativeAddressFilter: options.negativeAddressFilter,
      stateDir: join(dataDir, 'wg'),
      tunnel: tunnelPolicy,
      restoreEndpoints: options.siderolinkRestoreEndpoints,
    },
    { ...deps.records, identity, client, tokens, cache, events, timeline, clock, log, random },
  );
  cleanup.use(link);
  const linkAddress = (): string => identity.serverAddress;
  const agent = createAgentService({
    client,
    cache,
    clock,
    log,
    events,
    timeline,
    sessions,
    budget,
    autoAccept: options.autoAcceptServers,
    autoBmcSetup: options.autoBmcSetup,
    insecureWipe: options.insecureWipe,
    rebootTimeoutMs: options.serverRebootTimeoutMs,
    insecureMetadata: options.insecureMetadata,
  });
  const boot = await startBootServices(
    {
      listen: options.listen,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
      tftpListen: options.tftpListen,
      ...(options.dhcpProxy ? { dhcpListen: options.dhcpListen } : {}),
      advertise: options.advertise ?? { host: advertiseHost },
      ...interfaceAddressOf(options),
      dataDir,
      ...(options.loaders === undefined ? {} : { loaders: options.loaders }),
      ...(options.agentImages === undefined ? {} : { agentImages: options.agentImages }),
      bootFromDiskMethod: options.bootFromDiskMethod,
      extraAgentKernelArgs: options.extraAgentKernelArgs,
      insecureMetadata: options.insecureMetadata,
    },
    {
      cache,
      events,
      timeline,
      sessions,
      serverName,
      linkAddress,
      linkApi,
      routes: (endpoint) => [
        createMetadataRoute({
          client,
          events,
          timeline,
          sessions,
          serverName,
          endpoint,
          linkAddress,
          linkApi,
          clock,
          log,
        }),
      ],
      services: () => [agent, link.provision, link.tunnel],
      log,
      clock,
    },
  );
  cleanup.use(boot);
  tokens.announce(linkApiText({ endpoint: boot.endpoint, tls: options.tls !== undefined, tunnel: false }, 'argument'));
  const status = link.status();
  const { host } = options.siderolinkListen;
  const endpoints = {
    http: hostPort(boot.http),
    grpc: hostPort(boot.http),
    tftp: textOf(boot.tftp),
    dhcp: textOf(boot.dhcp),
    siderolink: status.state === 'up' ? hostPort({ host, port: status.listenPort }) : null,
  };
  const owned = cleanup.move();
  const finalConfig = createFinalConfig({ client, endpoint: boot.endpoint, linkAddress, linkApi });
  return { endpoints, link: link.view, finalConfig, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function textOf(address: BoundAddress | undefined): string | null {
  return address === undefined ? null : hostPort(address);
}
