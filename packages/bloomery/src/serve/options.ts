import { join, resolve } from 'node:path';
import type { Listen } from '@bloomery/ports';
import { parseGoDuration } from './go-duration.ts';

/** Values of `bloomery serve`, after flags, SIDERO_CONTROLLER_MANAGER_* variables and defaults were merged. */
export interface ServeOptions {
  /** Data directory, absolute. */
  readonly dataDir: string;
  readonly kubeListen: Listen;
  /** iPXE, metadata, assets and gRPC. */
  readonly listen: Listen;
  /** What machines are told; absent: the address of the interface that reaches them. */
  readonly advertise: { readonly host: string; readonly port?: number } | undefined;
  readonly tftpListen: Listen;
  readonly dhcpListen: Listen;
  readonly dhcpInterface: string | undefined;
  readonly dhcpProxy: boolean;
  readonly siderolinkListen: Listen;
  /** WireGuard endpoints that machines are told, best first; empty: the advertised host. */
  readonly siderolinkAdvertise: readonly { readonly host: string; readonly port?: number }[];
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

type Raw = Readonly<Record<string, string | boolean | undefined>>;
type Environment = Readonly<Record<string, string | undefined>>;

/** A refused flag or variable: which, its value, what is accepted. */
export interface OptionProblem {
  readonly flag: string;
  readonly message: string;
}

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
export function parseServeOptions(flags: Raw, environment: Environment, defaultDataDir: string): ParsedOptions {
  const problems: OptionProblem[] = [];
  const fromEnvironment: Record<string, string> = {};
  for (const [variable, name] of Object.entries(SIDERO_VARIABLES)) {
    const value = environment[PREFIX + variable];
    if (value !== undefined && value !== '' && value !== '-') fromEnvironment[name] = value;
  }
  const given = (name: string): string | boolean | undefined => flags[name] ?? fromEnvironment[name];
  const text = (name: string, fallback: string): string => {
    const value = given(name);
    return value === undefined || typeof value === 'boolean' ? fallback : value;
  };
  const optional = (name: string): string | undefined => {
    const value = text(name, '');
    return value === '' || value === '-' ? undefined : value;
  };
  const refuse = (name: string, message: string): void => {
    problems.push({ flag: flagName(name), message });
  };
  const bool = (name: string, fallback: boolean): boolean => {
    const value = given(name);
    if (value === undefined) return fallback;
    if (typeof value === 'boolean') return value;
    if (['true', 't', '1', 'yes', 'on', ''].includes(value.toLowerCase())) return true;
    if (['false', 'f', '0', 'no', 'off'].includes(value.toLowerCase())) return false;
    refuse(name, `wants true or false, not "${value}"`);
    return fallback;
  };
  const choice = <const V extends readonly string[]>(name: string, values: V, fallback: V[number]): V[number] => {
    const value = text(name, fallback);
    const found = values.find((v) => v === value);
    if (found === undefined) refuse(name, `wants one of ${values.join(', ')}, not "${value}"`);
    return found ?? fallback;
  };
  const listen = (name: string, fallback: string): Listen => {
    const value = text(name, fallback);
    const parsed = parseListen(value);
    if (parsed === undefined) refuse(name, `wants HOST:PORT, not "${value}"`);
    return parsed ?? { host: '127.0.0.1', port: 0 };
  };
  const port = (name: string): number | undefined => {
    const value = optional(name);
    if (value === undefined) return undefined;
    const n = Number(value);
    if (Number.isInteger(n) && n >= 0 && n <= 65535) return n;
    refuse(name, `wants a port number, not "${value}"`);
    return undefined;
  };
  const endpoint = (name: string): { host: string; port?: number } | undefined => {
    const value = optional(name);
    if (value === undefined) return undefined;
    const parsed = parseHostOptionalPort(value);
    if (parsed === undefined) refuse(name, `wants HOST or HOST:PORT, not "${value}"`);
    return parsed;
  };
  const endpoints = (name: string): readonly { host: string; port?: number }[] | undefined => {
    const parsed = optional(name)?.split(',').map(parseHostOptionalPort);
    if (parsed?.includes(undefined)) refuse(name, `wants a comma list of HOST:PORT, not "${text(name, '')}"`);
    return parsed?.filter((one) => one !== undefined);
  };
  const probability = (name: string): number => {
    const n = Number(text(name, '0'));
    if (n >= 0 && n <= 1) return n;
    refuse(name, 'wants a number from 0 to 1');
    return 0;
  };

  if (flags['data'] === '') refuse('data', 'wants a directory, not an empty text');
  const timeoutText = text('serverRebootTimeout', '20m');
  const serverRebootTimeoutMs = parseGoDuration(timeoutText);
  if (serverRebootTimeoutMs === undefined || serverRebootTimeoutMs < 1000)
    refuse('serverRebootTimeout', `wants a duration of at least 1s such as 20m, not "${timeoutText}"`);

  const listenBase = listen('listen', '0.0.0.0:8081');
  const containerPort = flags['listen'] === undefined ? port('containerApiPort') : undefined;
  const siderolinkBase = listen('siderolinkListen', '0.0.0.0:51821');
  const siderolinkPort = flags['siderolinkListen'] === undefined ? port('siderolinkPort') : undefined;
  const advertise = endpoint('advertise') ?? withPort(endpoint('apiEndpoint'), port('apiPort'));
  const siderolinkEndpoint = withPort(endpoint('siderolinkEndpoint'), port('siderolinkPort'));
  const siderolinkAdvertise = endpoints('siderolinkAdvertise') ?? (siderolinkEndpoint ? [siderolinkEndpoint] : []);
  const tlsCert = optional('tlsCert');
  const tlsKey = optional('tlsKey');
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    refuse(tlsCert === undefined ? 'tlsCert' : 'tlsKey', 'is missing: --tls-cert and --tls-key go together');

  const clientCa = optional('clientCa');
  const auditLog = optional('auditLog') ?? join(text('data', defaultDataDir), 'logs', 'audit.jsonl');
  const options: ServeOptions = {
    dataDir: text('data', defaultDataDir),
    kubeListen: listen('kubeListen', '127.0.0.1:6443'),
    listen: containerPort === undefined ? listenBase : { ...listenBase, port: containerPort },
    advertise,
    tftpListen: listen('tftpListen', '0.0.0.0:69'),
    dhcpListen: listen('dhcpListen', '0.0.0.0:67'),
    dhcpInterface: optional('dhcpInterface'),
    dhcpProxy: !bool('disableDhcpProxy', false),
    siderolinkListen: siderolinkPort === undefined ? siderolinkBase : { ...siderolinkBase, port: siderolinkPort },
    siderolinkAdvertise,
    siderolinkTunnel: choice('siderolinkTunnel', ['auto', 'force', 'off'], 'auto'),
    siderolinkRestoreEndpoints: bool('siderolinkRestoreEndpoints', true),
    requireJoinToken: bool('requireJoinToken', false),
    tls:
      tlsCert === undefined || tlsKey === undefined
        ? undefined
        : { certFile: resolve(tlsCert), keyFile: resolve(tlsKey) },
    wireguard: choice('wireguard', ['auto', 'kernel', 'userspace', 'off'], 'auto'),
    negativeAddressFilter: cidrs(text('negativeAddressFilter', ''), (bad) =>
      refuse('negativeAddressFilter', `wants a comma list of CIDRs; "${bad}" is none`),
    ),
    clusterApi: choice('clusterApi', ['embedded', 'external'], 'embedded'),
    metricsListen: listen('metricsListen', '127.0.0.1:9090'),
    clientCaFile: clientCa === undefined ? undefined : resolve(clientCa),
    auditLog: auditLog === 'off' ? undefined : resolve(auditLog),
    environmentFile: optional('environment'),
    agentImages: optional('agentImages'),
    loaders: optional('loaders'),
    autoAcceptServers: bool('autoAcceptServers', false),
    insecureWipe: bool('insecureWipe', true),
    autoBmcSetup: bool('autoBmcSetup', true),
    serverRebootTimeoutMs: serverRebootTimeoutMs ?? 1_200_000,
    ipmiPxeMethod: choice('ipmiPxeMethod', ['uefi', 'bios'], 'uefi'),
    bootFromDiskMethod: choice('bootFromDiskMethod', ['ipxe-exit', 'http-404', 'ipxe-sanboot'], 'ipxe-exit'),
    extraAgentKernelArgs: text('extraAgentKernelArgs', '')
      .split(/\s+/)
      .filter((a) => a !== '' && a !== '-'),
    insecureMetadata: bool('insecureMetadata', false),
    logLevel: choice('logLevel', ['debug', 'info', 'warn', 'error'], 'info'),
    testPowerExplicitFailure: probability('testPowerExplicitFailure'),
    testPowerSilentFailure: probability('testPowerSilentFailure'),
  };
  return problems.length > 0 ? { ok: false, problems } : { ok: true, options };
}

/** `HOST:PORT`, `[v6]:PORT` or `:PORT`; undefined when it is none of them. */
export function parseListen(text: string): Listen | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%\w]{2,64})\]|([^:[\]\s]{0,253})):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65535) return undefined;
  return { host: match[1] ?? (match[2] === '' || match[2] === undefined ? '0.0.0.0' : match[2]), port };
}

function parseHostOptionalPort(text: string): { host: string; port?: number } | undefined {
  const withPort = parseListen(text);
  if (withPort !== undefined && !text.startsWith(':')) return withPort;
  if (/^[0-9a-fA-F:]{2,45}$/.test(text) && text.includes(':')) return { host: text };
  return /^[A-Za-z0-9.-]{1,253}$/.test(text) ? { host: text } : undefined;
}

function withPort(host: { host: string; port?: number } | undefined, port: number | undefined) {
  return host === undefined || port === undefined ? host : { ...host, port };
}

function cidrs(text: string, refuse: (bad: string) => void): readonly string[] {
  const given = text.split(',').filter((c) => c !== '' && c !== '-');
  for (const cidr of given) if (!/^[0-9a-fA-F:.]{2,45}\/\d{1,3}$/.test(cidr)) refuse(cidr);
  return given;
}

function flagName(name: string): string {
  const aliases: Readonly<Record<string, string>> = {
    apiEndpoint: 'advertise',
    apiPort: 'advertise',
    containerApiPort: 'listen',
  };
  return `--${(aliases[name] ?? name).replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
}
