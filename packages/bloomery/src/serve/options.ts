import { join, resolve } from 'node:path';
import type { Listen } from '@bloomery/ports';
import { parseGoDurationMs } from '@bloomery/wire';

import {
  createOptionReader,
  type HostPort,
  type OptionProblem,
  type OptionReader,
  type RawOptions,
} from './option-reader.ts';

/** Values of `bloomery serve`, after flags, SIDERO_CONTROLLER_MANAGER_* variables and defaults were merged. */
export interface ServeOptions {
  /** Data directory, absolute. */
  readonly dataDir: string;
  readonly kubeListen: Listen;
  /** iPXE, metadata, assets and gRPC. */
  readonly listen: Listen;
  /** What machines are told; absent: the address of the interface that reaches them. */
  readonly advertise: HostPort | undefined;
  readonly tftpListen: Listen;
  readonly dhcpListen: Listen;
  readonly dhcpInterface: string | undefined;
  readonly dhcpProxy: boolean;
  readonly siderolinkListen: Listen;
  /** WireGuard endpoints that machines are told, best first; empty: the advertised host. */
  readonly siderolinkAdvertise: readonly HostPort[];
  /** Which machines send WireGuard through gRPC instead of UDP: those that ask for it, all, none. */
  readonly siderolinkTunnel: 'auto' | 'force' | 'off';
  /** Call machines at their last known endpoints after a start; false where these belong to a load balancer. */
  readonly siderolinkRestoreEndpoints: boolean;
  /** Machines join the link only with a token. */
  readonly requireJoinToken: boolean;
  /** Certificate and key of the machine port (PEM files, absolute); undefined: plain text only. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly wireguard: 'auto' | 'kernel' | 'userspace' | 'off';
  readonly negativeAddressFilter: readonly string[];
  /** `external`: Cluster API core runs beside us, against this API; its group is not ours then. */
  readonly clusterApi: 'embedded' | 'external';
  readonly metricsListen: Listen;
  /** PEM file with authorities, beside our own, whose client certificates are believed; absolute. */
  readonly clientCaFile: string | undefined;
  /** File of the API's audit log, absolute; undefined: none is kept. */
  readonly auditLog: string | undefined;
  /** File with the Environment to create as `default` instead of the built-in one. */
  readonly environmentFile: string | undefined;
  /** Folder with `agent-<arch>/{vmlinuz,initramfs.xz}`. */
  readonly agentImages: string | undefined;
  /** Folder with iPXE loaders, looked into before the default ones. */
  readonly loaders: string | undefined;
  readonly autoAcceptServers: boolean;
  readonly insecureWipe: boolean;
  readonly autoBmcSetup: boolean;
  readonly serverRebootTimeoutMs: number;
  readonly ipmiPxeMethod: 'uefi' | 'bios';
  readonly bootFromDiskMethod: 'ipxe-exit' | 'http-404' | 'ipxe-sanboot';
  readonly extraAgentKernelArgs: readonly string[];
  readonly insecureMetadata: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** Failure dice of the management API client, 0..1: for tests of operators' set-ups. */
  readonly testPowerExplicitFailure: number;
  readonly testPowerSilentFailure: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

export type ParsedOptions =
  | { readonly ok: true; readonly options: ServeOptions }
  | { readonly ok: false; readonly problems: readonly OptionProblem[] };

/** Upstream's variables and the flags they stand for. `-` and empty mean "not given", as in upstream's manifests. */
export const SIDERO_VARIABLES: Readonly<Record<string, string>> = {
  API_ENDPOINT: 'apiEndpoint',
  API_PORT: 'apiPort',
  CONTAINER_API_PORT: 'containerApiPort',
  SIDEROLINK_ENDPOINT: 'siderolinkEndpoint',
  SIDEROLINK_PORT: 'siderolinkPort',
  EXTRA_AGENT_KERNEL_ARGS: 'extraAgentKernelArgs',
  AUTO_ACCEPT_SERVERS: 'autoAcceptServers',
  AUTO_BMC_SETUP: 'autoBmcSetup',
  INSECURE_WIPE: 'insecureWipe',
  SERVER_REBOOT_TIMEOUT: 'serverRebootTimeout',
  IPMI_PXE_METHOD: 'ipmiPxeMethod',
  BOOT_FROM_DISK_METHOD: 'bootFromDiskMethod',
  DISABLE_DHCP_PROXY: 'disableDhcpProxy',
  EVENTS_NEGATIVE_ADDRESS_FILTER: 'negativeAddressFilter',
  TEST_POWER_EXPLICIT_FAILURE: 'testPowerExplicitFailure',
  TEST_POWER_SILENT_FAILURE: 'testPowerSilentFailure',
};

/** Variables that only shape upstream's pod; they have nothing to act on here and are accepted silently. */
export const SIDERO_POD_VARIABLES: readonly string[] = ['HOST_NETWORK', 'DEPLOYMENT_STRATEGY'];

const PREFIX = 'SIDERO_CONTROLLER_MANAGER_';

/**
 * Merge flags (camelCase, as commander gives them), upstream's environment variables and defaults. Flags win.
 * Pure: the environment and the default data directory come from outside.
 */
export function parseServeOptions(flags: RawOptions, environment: Environment, defaultDataDir: string): ParsedOptions {
  const read = createOptionReader([flags, upstreamVariables(environment)]);
  if (flags['data'] === '') read.refuse('data', 'wants a directory, not an empty text');
  const dataDir = read.text('data', defaultDataDir);
  const clientCa = read.optional('clientCa');
  const auditLog = read.optional('auditLog') ?? join(dataDir, 'logs', 'audit.jsonl');
  const options: ServeOptions = {
    dataDir,
    ...machinePorts(read, flags),
    ...linkOptions(read, flags),
    kubeListen: read.listen('kubeListen', '127.0.0.1:6443'),
    clusterApi: read.choice('clusterApi', ['embedded', 'external'], 'embedded'),
    metricsListen: read.listen('metricsListen', '127.0.0.1:9090'),
    clientCaFile: clientCa === undefined ? undefined : resolve(clientCa),
    auditLog: auditLog === 'off' ? undefined : resolve(auditLog),
    environmentFile: read.optional('environment'),
    agentImages: read.optional('agentImages'),
    loaders: read.optional('loaders'),
    autoAcceptServers: read.bool('autoAcceptServers', false),
    insecureWipe: read.bool('insecureWipe', true),
    autoBmcSetup: read.bool('autoBmcSetup', true),
    serverRebootTimeoutMs: rebootTimeoutMs(read),
    ipmiPxeMethod: read.choice('ipmiPxeMethod', ['uefi', 'bios'], 'uefi'),
    bootFromDiskMethod: read.choice('bootFromDiskMethod', ['ipxe-exit', 'http-404', 'ipxe-sanboot'], 'ipxe-exit'),
    extraAgentKernelArgs: read
      .text('extraAgentKernelArgs', '')
      .split(/\s+/)
      .filter((a) => a !== '' && a !== '-'),
    insecureMetadata: read.bool('insecureMetadata', false),
    logLevel: read.choice('logLevel', ['debug', 'info', 'warn', 'error'], 'info'),
    testPowerExplicitFailure: read.probability('testPowerExplicitFailure'),
    testPowerSilentFailure: read.probability('testPowerSilentFailure'),
  };
  return read.problems.length > 0 ? { ok: false, problems: read.problems } : { ok: true, options };
}

/** Upstream's variables by the names of the flags they stand for. */
function upstreamVariables(environment: Environment): RawOptions {
  return Object.fromEntries(
    Object.entries(SIDERO_VARIABLES).flatMap(([variable, name]) => {
      const value = environment[PREFIX + variable];
      return value === undefined || value === '' || value === '-' ? [] : [[name, value]];
    }),
  );
}

type MachinePorts = Pick<
  ServeOptions,
  'listen' | 'advertise' | 'tftpListen' | 'dhcpListen' | 'dhcpInterface' | 'dhcpProxy' | 'tls'
>;

function machinePorts(read: OptionReader, flags: RawOptions): MachinePorts {
  const listen = read.listen('listen', '0.0.0.0:8081');
  const containerPort = flags['listen'] === undefined ? read.port('containerApiPort') : undefined;
  const certFile = read.optional('tlsCert');
  const keyFile = read.optional('tlsKey');
  if ((certFile === undefined) !== (keyFile === undefined))
    read.refuse(certFile === undefined ? 'tlsCert' : 'tlsKey', 'is missing: --tls-cert and --tls-key go together');
  return {
    listen: containerPort === undefined ? listen : { ...listen, port: containerPort },
    advertise: read.endpoint('advertise') ?? withPort(read.endpoint('apiEndpoint'), read.port('apiPort')),
    tls:
      certFile === undefined || keyFile === undefined
        ? undefined
        : { certFile: resolve(certFile), keyFile: resolve(keyFile) },
    tftpListen: read.listen('tftpListen', '0.0.0.0:69'),
    dhcpListen: read.listen('dhcpListen', '0.0.0.0:67'),
    dhcpInterface: read.optional('dhcpInterface'),
    dhcpProxy: !read.bool('disableDhcpProxy', false),
  };
}

type LinkOptions = Pick<
  ServeOptions,
  | 'siderolinkListen'
  | 'siderolinkAdvertise'
  | 'siderolinkTunnel'
  | 'siderolinkRestoreEndpoints'
  | 'requireJoinToken'
  | 'wireguard'
  | 'negativeAddressFilter'
>;

function linkOptions(read: OptionReader, flags: RawOptions): LinkOptions {
  const listen = read.listen('siderolinkListen', '0.0.0.0:51821');
  const port = flags['siderolinkListen'] === undefined ? read.port('siderolinkPort') : undefined;
  const advertised = read.endpoints('siderolinkAdvertise');
  const upstreams = withPort(read.endpoint('siderolinkEndpoint'), read.port('siderolinkPort'));
  return {
    siderolinkListen: port === undefined ? listen : { ...listen, port },
    siderolinkAdvertise: advertised.length > 0 || upstreams === undefined ? advertised : [upstreams],
    siderolinkTunnel: read.choice('siderolinkTunnel', ['auto', 'force', 'off'], 'auto'),
    siderolinkRestoreEndpoints: read.bool('siderolinkRestoreEndpoints', true),
    requireJoinToken: read.bool('requireJoinToken', false),
    wireguard: read.choice('wireguard', ['auto', 'kernel', 'userspace', 'off'], 'auto'),
    negativeAddressFilter: read.cidrs('negativeAddressFilter'),
  };
}

function rebootTimeoutMs(read: OptionReader): number {
  const text = read.text('serverRebootTimeout', '20m');
  const parsed = parseGoDurationMs(text);
  if (parsed !== undefined && parsed >= 1000) return parsed;
  read.refuse('serverRebootTimeout', `wants a duration of at least 1s such as 20m, not "${text}"`);
  return 1_200_000;
}

function withPort(host: HostPort | undefined, port: number | undefined): HostPort | undefined {
  return host === undefined || port === undefined ? host : { ...host, port };
}
