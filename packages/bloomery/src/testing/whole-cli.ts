import { buildCli } from '@bloomery/cli';
import { systemClock } from '@bloomery/ports';
import type { Command } from 'commander';
import { nodeCommand } from '../node/node-command.ts';
import { restoreCommand } from '../restore/restore-command.ts';
import { serveCommand } from '../serve/serve-command.ts';
import { siderolinkClientCommand } from '../siderolink-client/client-command.ts';

/** The whole command line, as `bloomery` parses it, for its reference and its checks. Nothing is run with it. */
export function wholeCli(): Command {
  const nowhere = { write: () => {}, isTerminal: false };
  const { signal } = new AbortController();
  const program = buildCli({ env: {}, stdout: nowhere, stderr: nowhere, clock: systemClock, version: '', signal });
  return program
    .addCommand(serveCommand({ env: {}, version: '', signal, print: () => {} }))
    .addCommand(restoreCommand({ env: {}, print: () => {} }))
    .addCommand(nodeCommand({ env: {}, version: '', signal, print: () => {} }))
    .addCommand(siderolinkClientCommand({ env: {}, version: '', signal, print: () => {} }));
}
