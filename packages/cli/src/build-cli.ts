import { Command } from 'commander';
import type { CliDeps } from './cli-deps.ts';
import { addClusterCommands } from './cluster-commands.ts';
import { connected, formatted } from './command-options.ts';
import { setOutcome } from './command-outcome.ts';
import type { AcceptOptions } from './commands/accept.ts';
import type { BackupCommandOptions } from './commands/backup.ts';
import type { ConfigOptions } from './commands/config.ts';
import type { ExplainOptions } from './commands/explain.ts';
import type { GetOptions } from './commands/get.ts';
import type { PowerOptions } from './commands/power.ts';
import type { TimelineOptions } from './commands/timeline.ts';
import type { TreeOptions } from './commands/tree.ts';
import type { VersionOptions } from './commands/version.ts';
import { addDnsCommands } from './dns-commands.ts';
import { addLinkCommands } from './link-commands.ts';
import { type SessionOptions, withSession } from './session.ts';
import { addTokenCommands } from './token-commands.ts';

/**
 * The command line without `serve` and other long-running programs, which the composition root adds. Nothing but the parser
 * is loaded before a command runs. Run it with runCli.
 */
export function buildCli(deps: CliDeps): Command {
  const program = new Command('bloomery')
    .description('Turns bare servers into Talos Linux clusters, and says at any moment why a machine is not there yet.')
    .version(deps.version, '-V, --version')
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => deps.stdout.write(text), writeErr: () => {} });
  addReading(program, deps);
  addConfig(program, deps);
  addClusterCommands(program, deps);
  addLinkCommands(program, deps);
  addChanging(program, deps);
  addTokenCommands(program, deps);
  addDnsCommands(program, deps);
  addLocal(program, deps);
  return program;
}

function addReading(program: Command, deps: CliDeps): void {
  formatted(connected(program.command('get')))
    .description('List objects, as kubectl get does')
    .argument('<kind>', 'servers, metalmachines, machines, … or KIND/NAME')
    .argument('[names...]', 'names; a server also by MAC, host name, address, serial number or the start of its name')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-l, --selector <labels>', 'with these labels')
    .option('--field-selector <fields>', 'with these fields, for example status.phase=Available')
    .option('-w, --watch', 'print changes as they happen')
    .option('--no-headers', 'without the heading')
    .action(async (kind: string, names: string[], options: GetOptions & SessionOptions) => {
      const { get } = await import('./commands/get.ts');
      await withSession(options, deps, (session) => get(session, [kind, ...names], options));
    });
  ofTree(connected(program.command('describe')))
    .description(
      'Show an object with its conditions, Events and the cause of its wait; a Cluster or Machine with all that belongs to it',
    )
    .argument('<object...>', 'KIND/NAME, or a server')
    .action(async (words: string[], options: TreeOptions & SessionOptions) => {
      const { describe } = await import('./commands/describe.ts');
      await withSession(options, deps, (session) => describe(session, words, options));
    });
  formatted(connected(program.command('explain')))
    .description('Say why an object is not where it should be, and what to do')
    .argument('[object...]', 'KIND/NAME, or a server')
    .option('--all', 'every object that is not where it should be')
    .action(async (words: string[], options: ExplainOptions & SessionOptions) => {
      const { explain } = await import('./commands/explain.ts');
      await withSession(options, deps, (session) => explain(session, words, options));
    });
  formatted(connected(program.command('timeline')))
    .description('Show what happened to a machine')
    .argument('<object...>', 'KIND/NAME, or a server')
    .option('-f, --follow', 'go on with what happens')
    .option('--since <duration>', 'not older than, for example 2h')
    .option('--source <list>', 'of boot, bmc, agent, kernel, talos, link, config, capi, store, user, alloc')
    .action(async (words: string[], options: TimelineOptions & SessionOptions) => {
      const { timeline } = await import('./commands/timeline.ts');
      await withSession(options, deps, (session) => timeline(session, words, options));
    });
  formatted(ofTree(connected(program.command('tree'))))
    .description('Show a cluster with its machines and servers, and what they wait for')
    .argument('<cluster>', 'name of the cluster, or of one of its machines')
    .action(async (name: string, options: TreeOptions & SessionOptions) => {
      const { tree } = await import('./commands/tree.ts');
      await withSession(options, deps, (session) => tree(session, name, options));
    });
}

function addConfig(program: Command, deps: CliDeps): void {
  formatted(connected(program.command('config')))
    .description('Show the configuration that a machine is served, and where each part of it comes from')
    .argument('<name...>', 'a machine, TalosConfig, MetalMachine, server or cluster; `config show NAME` is the same')
    .option('--show-secrets', 'tokens, keys and passwords too')
    .option('--bootstrap', 'only the bootstrap data, without patches of ServerClass and Server')
    .option(
      '--diff <name>',
      'only what differs from the configuration of another machine; exit code 8 when something does',
    )
    .action(async (words: string[], options: ConfigOptions & SessionOptions) => {
      const { config } = await import('./commands/config.ts');
      setOutcome(program, await withSession(options, deps, (session) => config(session, words, options)));
    });
}

function ofTree(command: Command): Command {
  return command
    .option('--show-conditions <kinds>', 'list the conditions of these kinds or KIND/NAME, or of all')
    .option('--grouping [boolean]', 'one line for machines in the same state (default: true)');
}

const SWITCHES = [
  ['accept', 'Let servers in: they may be wiped, powered and allocated'],
  ['cordon', 'Take servers out of all classes; what runs on them goes on'],
  ['uncordon', 'Put servers back into their classes'],
] as const;

function addChanging(program: Command, deps: CliDeps): void {
  for (const [verb, description] of SWITCHES) {
    const command = connected(program.command(verb))
      .description(description)
      .argument('[servers...]', 'name, MAC, host name, address, serial number or the start of the name')
      .option('-l, --selector <labels>', 'all with these labels')
      .option('--dry-run', 'change nothing, say what would be')
      .action(async (names: string[], options: AcceptOptions & SessionOptions) => {
        const { setSwitch } = await import('./commands/accept.ts');
        await withSession(options, deps, (session) => setSwitch(session, verb, names, options));
      });
    if (verb === 'accept') command.option('--all-unaccepted', 'all that nobody accepted yet');
  }
  connected(program.command('power'))
    .description('Switch servers through their BMCs')
    .argument('<action>', 'on, off, cycle or status')
    .argument('[servers...]', 'name, MAC, host name, address, serial number or the start of the name')
    .option('-l, --selector <labels>', 'all with these labels')
    .option('--pxe', 'boot from the network this time')
    .option('--stagger <duration>', 'pause between servers (default: 2s for more than 4)')
    .action(async (action: string, names: string[], options: PowerOptions & SessionOptions) => {
      const { power } = await import('./commands/power.ts');
      await withSession(options, deps, (session) => power(session, action, names, options));
    });
}

function addLocal(program: Command, deps: CliDeps): void {
  connected(program.command('backup'))
    .description('Write a backup of the running manager: all objects as they are now, Secrets and keys included')
    .argument('<file>', 'file to write, 0600')
    .option('--force', 'replace an existing file')
    .option('--json', 'say what was written as JSON')
    .action(async (file: string, options: BackupCommandOptions & SessionOptions) => {
      const { backup } = await import('./commands/backup.ts');
      await withSession(options, deps, (session) => backup(session, file, options));
    });
  connected(program.command('version'))
    .description('Print the version of this program and of the manager')
    .option('--client', 'of this program only')
    .option('--json', 'as JSON')
    .action(async (options: VersionOptions) => {
      const { version } = await import('./commands/version.ts');
      await version(deps, options);
    });
  program
    .command('completion')
    .description('Print the completion script of a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .action(async (shell: string) => {
      const { completionScript } = await import('./commands/completion.ts');
      const { kindNames } = await import('./resolve-kind.ts');
      const verbs = program.commands.map((command) => command.name());
      deps.stdout.write(completionScript(shell, verbs, kindNames()));
    });
}
