import { access, mkdir } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { createGrpcHandler, type GrpcService } from '@bloomery/grpc';
import type { EventRecorder, ObjectCache } from '@bloomery/kube';
import { type BoundAddress, type Clock, errorText, type Listen, type Logger, type Service } from '@bloomery/ports';
import type { TimelineRecorder } from '../insight/index.ts';
import { createAssetCache } from './asset-cache.ts';
import { createAssetRoutes } from './asset-routes.ts';
import { createBootFiles } from './boot-files.ts';
import { createBootMarks } from './boot-marks.ts';
import type { BootSessions } from './boot-sessions.ts';
import { renderChainScript } from './chain-script.ts';
import { type DhcpProxy, startDhcpProxy } from './dhcp/dhcp-proxy.ts';
import { createDhcpSeen } from './dhcp/dhcp-seen.ts';
import type { HttpRoute } from './http-route.ts';
import { createIpxeRoute, type ServerName } from './ipxe-route.ts';
import { type Loaders, loadLoaders } from './loaders.ts';
import type { LinkApiOf } from './machine-link-api.ts';
import { startMachineListener } from './machine-listener.ts';
import { createNeighbours } from './neighbours.ts';
import { startTftpServer } from './tftp/tftp-server.ts';
import type { TlsFiles } from './tls-port.ts';

/** Where the boot services listen and what they tell machines. */
export interface BootServicesOptions {
  readonly listen: Listen;
  readonly tftpListen: Listen;
  /** Absent: no DHCP proxy. */
  readonly dhcpListen?: Listen;
  /** What machines are told; the port that is really bound unless one is given. */
  readonly advertise: { readonly host: string; readonly port?: number };
  /** Our IPv4 address on the machines' network, where the advertised host is a name; without either there is no DHCP proxy. */
  readonly serverAddress?: string;
  /** IPv4 address of the interface by which DHCP broadcasts leave; the server address when it is one of this host. */
  readonly interfaceAddress?: string;
  /** Folder with `env/` and `tftp/`; made when missing. */
  readonly dataDir: string;
  /** Looked into before /usr/lib/ipxe and `tftp/` of the data folder. */
  readonly loaders?: string;
  /** Folder with `agent-<arch>/{vmlinuz,initramfs.xz}`. */
  readonly agentImages?: string;
  readonly bootFromDiskMethod: string;
  readonly extraAgentKernelArgs: readonly string[];
  readonly insecureMetadata: boolean;
  /** Certificate of the machine port; absent: plain text only. */
  readonly tls?: TlsFiles;
}

/** What the boot services need. The cache must have been filled once, else machines are taken for unknown ones. */
export interface BootServicesDeps {
  readonly cache: ObjectCache;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly sessions: BootSessions;
  readonly serverName: ServerName;
  /** Our address on the link, IPv6 without prefix length; undefined while there is none. */
  readonly linkAddress: () => string | undefined;
  /** Absent: plain text, no tokens, UDP. */
  readonly linkApi?: LinkApiOf;
  /** Further routes (`/configdata`), made when the endpoint is known. */
  readonly routes: (endpoint: BoundAddress) => readonly HttpRoute[];
  /** gRPC services (agent, link), made when the endpoint is known. */
  readonly services: (endpoint: BoundAddress) => readonly GrpcService[];
  readonly log: Logger;
  readonly clock: Clock;
}

/** Running boot services. Addresses are undefined for what could not start: the log says why. */
export interface BootServices extends AsyncDisposable {
  /** What machines are told. */
  readonly endpoint: BoundAddress;
  readonly http: BoundAddress;
  readonly tftp: BoundAddress | undefined;
  readonly dhcp: BoundAddress | undefined;
  /** Names of loaders that are offered but are nowhere. */
  readonly missingLoaders: readonly string[];
  /** Files of the agent that are nowhere: its machines get a 404. */
  readonly missingImages: readonly string[];
}

/** Debian's iPXE. */
const DEFAULT_LOADERS = '/usr/lib/ipxe';

/** Folder of the files of all Environments below the data folder. */
export function environmentsFolder(dataDir: string): string {
  return join(dataDir, 'env');
}

/**
 * Start everything that a machine meets before its operating system: machine port, TFTP, DHCP proxy.
 *
 * @throws when the machine port cannot be bound; what else cannot start is logged and left out
 */
export async function startBootServices(options: BootServicesOptions, deps: BootServicesDeps): Promise<BootServices> {
  const { log, clock, cache, events, sessions } = deps;
  const tftpFolder = join(options.dataDir, 'tftp');
  await mkdir(tftpFolder, { recursive: true });
  await mkdir(environmentsFolder(options.dataDir), { recursive: true });
  const marks = createBootMarks(deps.timeline, clock, log);
  const neighbours = createNeighbours(clock);
  const assets = createAssetCache();
  let loaders: Loaders = { get: () => undefined, missing: [] };
  let endpoint: BoundAddress = { host: options.advertise.host, port: options.advertise.port ?? options.listen.port };
  let chainScript = '';
  const makeFiles = (): ReturnType<typeof createBootFiles> =>
    createBootFiles({
      loaders: { get: (name) => loaders.get(name), missing: [] },
      chainScript,
      folder: tftpFolder,
      cache: assets,
    });

  const listener = await startMachineListener(options.listen, {
    log,
    clock,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    serve: (bound) => {
      endpoint = { host: options.advertise.host, port: options.advertise.port ?? bound.port };
      chainScript = renderChainScript(endpoint);
      const ipxe = createIpxeRoute({ ...deps, ...options, marks, endpoint, learn: neighbours.learn });
      const shared = createAssetRoutes({
        cache: assets,
        files: makeFiles(),
        chainScript,
        environments: environmentsFolder(options.dataDir),
        agentImages: options.agentImages,
        marks,
        whoIs: neighbours.whoIs,
      });
      return {
        routes: [ipxe, ...shared, ...deps.routes(endpoint)],
        grpc: createGrpcHandler(deps.services(endpoint), { log, clock }),
      };
    },
  });
  const folders = [...(options.loaders === undefined ? [] : [options.loaders]), DEFAULT_LOADERS, tftpFolder];
  loaders = await loadLoaders(folders, chainScript, log);
  const tftp = await orLeaveOut(log, 'tftp', () =>
    startTftpServer(options.tftpListen, { files: makeFiles(), marks, log, clock, whoIs: neighbours.whoIs }),
  );
  const dhcp = await startProxy(
    options,
    endpoint,
    log,
    createDhcpSeen({ cache, events, marks, sessions, serverName: deps.serverName }),
  );
  return {
    endpoint,
    http: listener.address,
    tftp: tftp?.address,
    dhcp: dhcp?.address,
    missingLoaders: loaders.missing,
    missingImages: await findMissingImages(options.agentImages, log),
    [Symbol.asyncDispose]: async () => {
      await dhcp?.[Symbol.asyncDispose]();
      await tftp?.[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
      await assets.close();
    },
  };
}

async function findMissingImages(folder: string | undefined, log: Logger): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const file of ['agent-amd64/vmlinuz', 'agent-amd64/initramfs.xz']) {
    const there = folder !== undefined && (await access(join(folder, file)).then(yes, no));
    if (!there) missing.push(file);
  }
  if (missing.length > 0) log.warn('boot.agent_images_missing', { missing, folder: folder ?? 'none given' });
  return missing;
}

const yes = (): boolean => true;
const no = (): boolean => false;

async function startProxy(
  options: BootServicesOptions,
  endpoint: BoundAddress,
  log: Logger,
  onSeen: ReturnType<typeof createDhcpSeen>,
): Promise<DhcpProxy | undefined> {
  const { dhcpListen } = options;
  if (dhcpListen === undefined) return undefined;
  const serverAddress = options.serverAddress ?? endpoint.host;
  if (!isIPv4(serverAddress)) {
    log.warn('dhcp_proxy.no_ipv4_address', { advertise: endpoint.host });
    return undefined;
  }
  const interfaceAddress = options.interfaceAddress ?? serverAddress;
  return await startDhcpProxy({ listen: dhcpListen, serverAddress, endpoint, interfaceAddress }, { log, onSeen });
}

async function orLeaveOut(log: Logger, service: string, start: () => Promise<Service>): Promise<Service | undefined> {
  try {
    return await start();
  } catch (error) {
    log.warn('boot.service_unavailable', { service, error: errorText(error) });
    return undefined;
  }
}
