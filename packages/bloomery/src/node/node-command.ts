import { systemClock } from '@bloomery/ports';
import { Command } from 'commander';
import type { NodeFlags } from './node-options.ts';

/** What the command needs from outside. */
export interface NodeCommandDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Aborts at SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** `bloomery node`: Talos' networking for this host, until it is stopped. */
export function nodeCommand(deps: NodeCommandDeps): Command {
  return new Command('node')
    .description("Talos' networking for this Linux host, inspected with talosctl, until SIGTERM. Needs root")
    .option('--config <file>', 'Talos machine configuration (multi-document): seeds DIR/config.yaml, then that rules')
    .option('--state <dir>', "the daemon's own folder: configuration, certificates, talosconfig, what it changed")
    .option('--api <host:port>', 'Talos API, mTLS (default: 127.0.0.1:50000)')
    .option('--cmdline <text>', 'kernel arguments to honour, or @FILE (default: /proc/cmdline)')
    .option('--uuid <uuid>', "identity (default: the firmware's, else one that is made and kept in DIR/meta.json)")
    .option('--manage-all', 'also what the configuration does not name: default DHCP, interface names, host name')
    .option(
      '--host-files <mode>',
      "write resolv.conf, hosts, CA bundle and host name: auto (only in PID 1's network namespace), on or off (default: auto)",
    )
    .option('--leave', 'leave links, addresses, routes and files as they are when stopped')
    .option(
      '--dry-run',
      'say what would be changed in the kernel as far as no answer of DHCP is needed, change nothing, and end',
    )
    .option('--graph', 'print which controllers read and write what, in the DOT language, and end')
    .option('--log-level <level>', 'debug, info, warn or error (default: info)')
    .addHelpText(
      'after',
      `
Inspect it with:  talosctl --talosconfig DIR/talosconfig get links
Everything that was added is taken back at SIGTERM, SIGINT or when the terminal
is closed, unless --leave is given.`,
    )
    .action(async (flags: NodeFlags) => {
      const { readNodeOptions } = await import('./node-options.ts');
      const options = readNodeOptions(flags);
      if (options.graph) {
        const { printGraph } = await import('./print-graph.ts');
        return deps.print((await printGraph(options)).trimEnd());
      }
      if (options.dryRun) {
        const { dryRun } = await import('./dry-run.ts');
        return dryRun(options, deps.print, systemClock);
      }
      const { runNode } = await import('./run-node.ts');
      await runNode(options, deps);
    });
}
