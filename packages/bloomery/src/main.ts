import { buildCli, runCli } from '@bloomery/cli';
import { systemClock } from '@bloomery/ports';
import type { Command } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { stopSignal } from './stop-signal.ts';

/**
 * Small Buffers are cut from blocks of this size, and one that lives long keeps its whole block: with Node's 64 KiB a few bytes
 * of each TLS connection and each cached line of a watch cost the plane a megabyte for each cluster.
 */
Buffer.poolSize = 8 * 1024;

const stop = stopSignal();
let lost: Error | undefined;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A closed pipe (`bloomery get … | head`) is no error.
  if (error.code === 'EPIPE') process.exit(0);
  // What runs on does so: only its words are lost.
  lost ??= error;
});

const deps = {
  env: process.env,
  stdout: { write: (text: string) => void process.stdout.write(text), isTerminal: process.stdout.isTTY === true },
  stderr: { write: (text: string) => void process.stderr.write(text), isTerminal: process.stderr.isTTY === true },
  clock: systemClock,
  version: manifest.version,
  signal: stop,
};
const ownDeps = {
  env: process.env,
  version: manifest.version,
  signal: stop,
  print: (line: string): void => void process.stdout.write(`${line}\n`),
};

/** Commands that are composed here. Each is loaded only when it is named, or all for the help: a daemon pays for no other's code. */
const OWN: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./serve/serve-command.ts')).serveCommand(ownDeps),
  restore: async () => (await import('./restore/restore-command.ts')).restoreCommand(ownDeps),
  'siderolink-client': async () =>
    (await import('./siderolink-client/client-command.ts')).siderolinkClientCommand(ownDeps),
  node: async () => (await import('./node/node-command.ts')).nodeCommand(ownDeps),
};
/** Those that run until they are stopped: for them an orderly stop is success, for a command it is an interruption. */
const RUNS_ON: ReadonlySet<string> = new Set(['serve', 'siderolink-client', 'node']);

const args = process.argv.slice(2);
const [name = ''] = args;
const program = buildCli(deps);
for (const load of Object.hasOwn(OWN, name) ? [OWN[name]] : Object.values(OWN)) {
  const command = await load?.();
  if (command !== undefined) program.addCommand(command.copyInheritedSettings(program));
}
const code = await runCli(program, args, deps);
// What could not be written is said in a later turn.
await new Promise((resolve) => setImmediate(resolve));
if (lost !== undefined && code === 0) {
  process.stderr.write(`error: writing the output: ${lost.message}\n`);
  process.exit(1);
}
// Whatever handle is left: what has ended its work does not stay. Pipes and files are written synchronously.
process.exit(RUNS_ON.has(name) && code === 130 ? 0 : code);
