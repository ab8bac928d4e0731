import type { Command } from 'commander';
import type { CliDeps } from './cli-deps.ts';
import { connected, formatted } from './command-options.ts';
import type { CreateTokenOptions } from './commands/token.ts';
import type { FormatOptions } from './output/format.ts';
import { type SessionOptions, withSession } from './session.ts';

/** Add `bloomery token` with its verbs. */
export function addTokenCommands(program: Command, deps: CliDeps): void {
  const token = program.command('token').description('Join tokens of SideroLink: who may link a machine back');
  formatted(connected(token.command('create')))
    .description('Make a token and print it, once, with the kernel argument that holds it')
    .option('--name <name>', 'name to list and revoke it by (default: a random one)')
    .option('--expires <duration>', 'for how long it holds, for example 24h (default: until it is revoked)')
    .option('--uses <number>', 'how many machines may join with it, 1 to 1000 (default: any number)')
    .option('--pin <uuid>', 'the only machine that may join with it: its UUID, or a server')
    .action(async (options: CreateTokenOptions & SessionOptions) => {
      const { createToken } = await import('./commands/token.ts');
      await withSession(options, deps, (session) => createToken(session, options));
    });
  formatted(connected(token.command('list')))
    .description('List the tokens and what became of them, without their texts')
    .action(async (options: FormatOptions & SessionOptions) => {
      const { listTokens } = await import('./commands/token.ts');
      await withSession(options, deps, (session) => listTokens(session, options));
    });
  connected(token.command('revoke'))
    .description('Let no machine in with these tokens any more; machines with a unique token stay')
    .argument('<names...>', 'names of tokens')
    .option('--delete', 'take them out of the list as well')
    .action(async (names: string[], options: { readonly delete?: boolean } & SessionOptions) => {
      const { revokeTokens } = await import('./commands/token.ts');
      await withSession(options, deps, (session) => revokeTokens(session, names, options));
    });
  connected(token.command('pin'))
    .description('Let only this machine in with a token')
    .argument('<name>', 'name of the token')
    .argument('<uuid>', 'UUID of the machine, or a server')
    .action(async (name: string, machine: string, options: SessionOptions) => {
      const { pinToken } = await import('./commands/token.ts');
      await withSession(options, deps, (session) => pinToken(session, name, machine));
    });
  connected(token.command('reset'))
    .description('Forget which machine owns the UUID of a server: the next one with a unique token does')
    .argument('<server>', 'name, MAC, host name, address, serial number or the start of the name')
    .action(async (machine: string, options: SessionOptions) => {
      const { resetMachine } = await import('./commands/token.ts');
      await withSession(options, deps, (session) => resetMachine(session, machine));
    });
}
