import type { Command } from 'commander';

/** Options of every command that talks to the manager. */
export function connected(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'manager to talk to (default: KUBECONFIG, else the newest `bloomery serve`)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('-n, --namespace <name>', 'namespace (default: that of the context)');
}

/** Options of every command that prints objects. */
export function formatted(command: Command): Command {
  return command.option('-o, --output <format>', 'table, wide, json, yaml or name').option('--json', 'same as -o json');
}
