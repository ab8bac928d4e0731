import type { Command } from 'commander';
import type { CliDeps } from './cli-deps.ts';
import { connected, formatted } from './command-options.ts';
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
}
