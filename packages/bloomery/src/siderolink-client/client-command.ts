import { join, resolve } from 'node:path';
import { systemClock } from '@bloomery/ports';
import type { SiderolinkNodeStatus } from '@bloomery/siderolink';
import { Command } from 'commander';
import { createJsonLog } from '../json-log.ts';
import { type ClientFlags, readClientSettings, readFile } from './client-settings.ts';

/** What the command needs from outside. */
export interface ClientCommandDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Aborts at SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** `bloomery siderolink-client`: this host on a SideroLink, until it is stopped. */
export function siderolinkClientCommand(deps: ClientCommandDeps): Command {
  return new Command('siderolink-client')
    .description('Join this host to a SideroLink as a Talos machine does, and stay until SIGTERM. Needs root')
    .option(
      '--config <file>',
      'machine configuration: SideroLinkConfig, EventSinkConfig and KmsgLogConfig are followed',
    )
    .option('--api <url>', 'grpc://HOST:PORT or https://HOST[?jointoken=TOKEN&grpc_tunnel=true], instead of --config')
    .option('--cmdline <text>', 'kernel arguments to honour, or @FILE (default: /proc/cmdline)')
    .option('--uuid <uuid>', 'identity (default: META 0xf, else SMBIOS, else one that is made and kept)')
    .option('--state <dir>', 'folder with meta.json and what WireGuard needs (default: /var/lib/bloomery-link)')
    .option('--kernel-log <url...>', "where the kernel's log goes: tcp://[ADDRESS]:4001 or udp://…")
    .option('--events <host:port>', 'where events go: [ADDRESS]:4002')
    .option('--wireguard <mode>', 'auto, kernel or userspace (default: auto)')
    .option('--ca <file>', 'PEM file of further authorities, for an API or a proxy with TLS')
    .option('--json', 'print each change of the status as JSON')
    .option('--log-level <level>', 'debug, info, warn or error (default: warn)')
    .addHelpText(
      'after',
      `
Proxies: HTTPS_PROXY (http://, https:// or socks5://), also for an API in plain text, where HTTP_PROXY is taken too;
then ALL_PROXY; NO_PROXY names what is reached straight. Names are looked up at every connect.`,
    )
    .action(async (flags: ClientFlags & { readonly logLevel?: string }) => {
      const settings = readClientSettings(flags);
      const authorities = flags.ca === undefined ? undefined : readFile(flags.ca, '--ca');
      const { runClient } = await import('./run-client.ts');
      // The clock's timers alone do not keep the process alive.
      const alive = setInterval(() => {}, 60_000);
      const show = createPrinter(flags.json === true, deps.print);
      try {
        await runClient(
          {
            settings,
            stateDir: resolve(flags.state ?? STATE_DIR),
            talosVersion: `v1.13.0-bloomery.${deps.version}`,
            ...(flags.uuid === undefined ? {} : { uuid: flags.uuid }),
            ...(authorities === undefined ? {} : { authorities }),
          },
          {
            clock: systemClock,
            log: createJsonLog(levelOf(flags.logLevel)),
            env: () => deps.env,
            signal: deps.signal,
            show,
          },
        );
      } finally {
        clearInterval(alive);
      }
    });
}

const STATE_DIR = join('/var/lib', 'bloomery-link');

function levelOf(text: string | undefined): 'debug' | 'info' | 'warn' | 'error' {
  return text === 'debug' || text === 'info' || text === 'error' ? text : 'warn';
}

/** One line per change that a person wants to see; as JSON one object with everything. */
export function createPrinter(
  isJson: boolean,
  print: (line: string) => void,
): (status: SiderolinkNodeStatus, uuid: string) => void {
  let last = '';
  return (status, uuid) => {
    const line = isJson ? JSON.stringify({ uuid, ...withTime(status) }) : describeStatus(status, uuid);
    if (line === last) return;
    last = line;
    print(line);
  };
}

function withTime({ lastHandshakeMs, ...status }: SiderolinkNodeStatus): object {
  return lastHandshakeMs === undefined ? status : { ...status, lastHandshake: new Date(lastHandshakeMs).toISOString() };
}

function describeStatus(status: SiderolinkNodeStatus, uuid: string): string {
  const { connected, host, linkName, grpcTunnel, nodeAddress, serverAddress, endpoint, lastError } = status;
  if (connected) {
    const way = grpcTunnel ? `through the tunnel of ${host}` : `by UDP ${endpoint ?? ''}`;
    return `up    ${linkName} ${nodeAddress ?? ''}, server ${serverAddress ?? ''}, ${way}`;
  }
  if (lastError !== undefined) return `down  ${lastError}`;
  if (linkName !== '') return `down  ${linkName} ${nodeAddress ?? ''}: waiting for the server's WireGuard`;
  return `down  joining ${host === '' ? 'the link' : `the link of ${host}`} as ${uuid}`;
}
