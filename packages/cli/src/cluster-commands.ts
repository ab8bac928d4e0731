import type { Command } from 'commander';
import type { CliDeps } from './cli-deps.ts';
import { connected } from './command-options.ts';
import type { ClusterAccessOptions } from './commands/cluster-access.ts';
import { type SessionOptions, withSession } from './session.ts';

const ACCESS = [
  ['kubeconfig', 'Print the kubeconfig of a cluster that was made here, for kubectl'],
  ['talosconfig', 'Print the talosconfig of a cluster that was made here, for talosctl'],
] as const;

/** Add `bloomery kubeconfig` and `bloomery talosconfig`. */
export function addClusterCommands(program: Command, deps: CliDeps): void {
  for (const [verb, description] of ACCESS) {
    connected(program.command(verb))
      .description(description)
      .argument('<cluster>', 'name of the cluster')
      .option('-f, --file <file>', 'write it to this file, 0600, instead')
      .option('--force', 'replace an existing file')
      .action(async (name: string, options: ClusterAccessOptions & SessionOptions) => {
        const { clusterAccess } = await import('./commands/cluster-access.ts');
        await withSession(options, deps, (session) => clusterAccess(session, verb, name, options));
      });
  }
}
