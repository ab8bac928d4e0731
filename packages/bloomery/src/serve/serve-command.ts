import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { BloomeryError, type Logger, systemClock } from '@bloomery/ports';
import { Command } from 'commander';
import { createJsonLog } from '../json-log.ts';
import { findAgentImages } from './agent-images.ts';
import { defaultDataDir, stateHome } from './data-dir.ts';
import { parseServeOptions, type ServeOptions } from './options.ts';
import type { RunningPlane } from './serve.ts';

export interface ServeCommandDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Aborts at SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** `bloomery serve`: the management plane in embedded mode. */
export function serveCommand(deps: ServeCommandDeps): Command {
  return new Command('serve')
    .description('Run the management plane, with its own Kubernetes-compatible API (embedded mode)')
    .option('--data <dir>', 'data directory (default: /var/lib/bloomery as root, else the XDG data directory)')
    .option('--kube-listen <host:port>', 'Kubernetes API, HTTPS (default: 127.0.0.1:6443)')
    .option('--listen <host:port>', 'iPXE, metadata, assets and gRPC (default: 0.0.0.0:8081)')
    .option(
      '--advertise <host[:port]>',
      'what machines are told (default: the address of the interface that reaches them)',
    )
    .option('--tftp-listen <host:port>', 'TFTP (default: 0.0.0.0:69)')
    .option('--dhcp-listen <host:port>', 'DHCP proxy; port 4011 follows its host (default: 0.0.0.0:67)')
    .option('--dhcp-interface <name>', 'interface whose machines are answered')
    .option('--disable-dhcp-proxy', 'no DHCP proxy: the site DHCP server gives the boot options')
    .option('--siderolink-listen <host:port>', 'SideroLink WireGuard, UDP (default: 0.0.0.0:51821)')
    .option(
      '--siderolink-advertise <host:port>',
      'WireGuard endpoints that machines are told, comma list, best first (default: the advertised host)',
    )
    .option(
      '--siderolink-tunnel <mode>',
      'WireGuard through gRPC instead of UDP: auto (machines that ask for it), force or off (default: auto)',
    )
    .option(
      '--siderolink-restore-endpoints [bool]',
      'call machines at their last known endpoints after a start (default: true)',
    )
    .option('--require-join-token', 'machines join SideroLink only with a token: see `bloomery token`')
    .option('--tls-cert <file>', 'PEM certificate of the machine port: gRPC and HTTP with TLS beside plain text')
    .option('--tls-key <file>', 'PEM key of --tls-cert')
    .option('--wireguard <mode>', 'auto, kernel, userspace or off (default: auto)')
    .option('--negative-address-filter <cidrs>', 'addresses that machines report and that are left out, comma list')
    .option(
      '--cluster-api <mode>',
      'embedded: Clusters and Machines are reconciled here; external: Cluster API core, which you run against this API, does it (default: embedded)',
    )
    .option('--metrics-listen <host:port>', 'Prometheus metrics (default: 127.0.0.1:9090)')
    .option('--client-ca <file>', 'PEM file of authorities whose client certificates the API believes, beside its own')
    .option('--audit-log <file>', 'who changed what, and who was refused; off for none (default: DIR/logs/audit.jsonl)')
    .option('--environment <file>', 'default Environment to create instead of the built-in one')
    .option(
      '--agent-images <dir>',
      'folder with agent-<arch>/{vmlinuz,initramfs.xz} (default: DIR/agent-images, else what `make setup` built)',
    )
    .option('--loaders <dir>', 'folder with iPXE loaders, before /usr/lib/ipxe and DIR/tftp')
    .option('--auto-accept-servers [bool]', 'accept machines when they register (default: false)')
    .option('--insecure-wipe [bool]', 'wipe head and tail of each disk instead of all of it (default: true)')
    .option('--auto-bmc-setup [bool]', 'let the agent make a BMC user (default: true)')
    .option(
      '--server-reboot-timeout <duration>',
      'power-cycle again when the agent is silent for so long (default: 20m)',
    )
    .option(
      '--ipmi-pxe-method <mode>',
      'uefi or bios: how machines without spec.pxeMode are told to boot from the network (default: uefi)',
    )
    .option('--boot-from-disk-method <method>', 'ipxe-exit, http-404 or ipxe-sanboot (default: ipxe-exit)')
    .option('--extra-agent-kernel-args <args>', 'further kernel arguments of the agent, blank-separated')
    .option(
      '--insecure-metadata',
      "Sidero's open /configdata and agent API: anybody who knows a UUID reads its secrets",
    )
    .option('--log-level <level>', 'debug, info, warn or error (default: info)')
    .action(async (flags: Record<string, string | boolean | undefined>) => {
      const parsed = parseServeOptions(flags, deps.env, defaultDataDir(process.getuid?.() ?? 1, deps.env));
      if (!parsed.ok) {
        const message = parsed.problems.map((p) => `${p.flag} ${p.message}`).join('; ');
        throw new BloomeryError('BLM_CLI_USAGE', message, { facts: { try: 'bloomery serve --help' } });
      }
      const dataDir = resolve(parsed.options.dataDir);
      const agentImages = parsed.options.agentImages ?? imagesOf(dataDir, deps.env);
      await run({ ...parsed.options, dataDir, agentImages }, createJsonLog(parsed.options.logLevel), deps);
    });
}

async function run(options: ServeOptions, log: Logger, deps: ServeCommandDeps): Promise<void> {
  // The rest of the product is loaded only now: other commands start without it.
  const { serve } = await import('./serve.ts');
  const startedMs = systemClock.nowMs();
  const plane = await serve(options, {
    clock: systemClock,
    log,
    version: deps.version,
    stateHome: stateHome(deps.env),
  });
  const tookMs = systemClock.nowMs() - startedMs;
  log.info('serve.ready', { tookMs, dataDir: options.dataDir, ...plane.endpoints });
  for (const line of firstScreen(plane, options, deps.version, tookMs)) deps.print(line);
  await new Promise<void>((resolveStop) => {
    if (deps.signal.aborted) resolveStop();
    deps.signal.addEventListener('abort', () => resolveStop(), { once: true });
  });
  log.info('serve.stopping');
  await plane[Symbol.asyncDispose]();
  log.info('serve.stopped');
}

function noLink({ wireguard }: ServeOptions): string {
  return wireguard === 'off' ? 'off' : 'down  try: bloomery siderolink';
}

function firstScreen(plane: RunningPlane, options: ServeOptions, version: string, tookMs: number): readonly string[] {
  const { endpoints } = plane;
  const boot = [
    `http ${endpoints.http}`,
    `tftp ${endpoints.tftp ?? 'off'}`,
    `dhcp-proxy ${endpoints.dhcp ?? 'off'}`,
  ].join('  ');
  return [
    `bloomery ${version}  data ${options.dataDir}  ready in ${(tookMs / 1000).toFixed(1)} s`,
    `  api         https://${endpoints.kube}  kubeconfig ${plane.kubeconfig}`,
    `  boot        ${boot}`,
    `  siderolink  ${endpoints.siderolink === null ? noLink(options) : `udp ${endpoints.siderolink}`}`,
    'Waiting for machines: switch one on with network boot.  try: bloomery get servers -w',
  ];
}

function imagesOf(dataDir: string, env: ServeCommandDeps['env']): string {
  const passwd = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8') : '';
  return findAgentImages({ dataDir, env, home: homedir(), passwd, exists: existsSync });
}
