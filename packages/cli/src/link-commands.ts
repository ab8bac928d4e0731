import type { Command } from 'commander';
import type { CliDeps } from './cli-deps.ts';
import { connected, formatted } from './command-options.ts';
import type { LogsOptions } from './commands/logs.ts';
import type { FormatOptions } from './output/format.ts';
import { type SessionOptions, withSession } from './session.ts';

/** Add what shows SideroLink. */
export function addLinkCommands(program: Command, deps: CliDeps): void {
  formatted(connected(program.command('siderolink')))
    .description('Show the machines on SideroLink: how they are connected, since when, and how much they sent')
    .argument('[status]', 'the only action, and the default')
    .action(async (action: string | undefined, options: FormatOptions & SessionOptions) => {
      const { siderolink } = await import('./commands/siderolink.ts');
      await withSession(options, deps, (session) => siderolink(session, action === undefined ? [] : [action], options));
    });
  connected(program.command('logs'))
    .description('Print the kernel log that machines send over SideroLink')
    .argument('[object...]', 'a server, metalmachine/NAME, machine/NAME or cluster/NAME')
    .option('--all', 'of all machines, also of unknown ones')
    .option('-f, --follow', 'go on with what comes')
    .option('--since <duration>', 'not older than, for example 2h')
    .option('--tail <lines>', 'of what is there only the newest')
    .option('--grep <pattern>', 'only messages that fit this regular expression (RE2)')
    .option('--json', 'the lines as the upstream container serverlogs prints them')
    .action(async (words: string[], options: LogsOptions & SessionOptions) => {
      const { logs } = await import('./commands/logs.ts');
      await withSession(options, deps, (session) => logs(session, words, options));
    });
}
