import { buildCli, runCli } from '@bloomery/cli';
import { systemClock } from '@bloomery/ports';
import manifest from '../package.json' with { type: 'json' };
import { restoreCommand } from './restore/restore-command.ts';
import { serveCommand } from './serve/serve-command.ts';
import { siderolinkClientCommand } from './siderolink-client/client-command.ts';

/**
 * Small Buffers are cut from blocks of this size, and one that lives long keeps its whole block: with Node's 64 KiB a few bytes
 * of each TLS connection and each cached line of a watch cost the plane a megabyte for each cluster.
 */
Buffer.poolSize = 8 * 1024;

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second signal ends at once.
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  });
}
// A closed pipe (`bloomery get … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});

const deps = {
  env: process.env,
  stdout: { write: (text: string) => void process.stdout.write(text), isTerminal: process.stdout.isTTY === true },
  stderr: { write: (text: string) => void process.stderr.write(text), isTerminal: process.stderr.isTTY === true },
  clock: systemClock,
  version: manifest.version,
  signal: stop.signal,
};
const program = buildCli(deps);
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const serve = serveCommand({
  env: process.env,
  version: manifest.version,
  signal: stop.signal,
  print,
});
program.addCommand(serve.copyInheritedSettings(program));
program.addCommand(restoreCommand({ env: process.env, print }).copyInheritedSettings(program));
const client = siderolinkClientCommand({ env: process.env, version: manifest.version, signal: stop.signal, print });
program.addCommand(client.copyInheritedSettings(program));
const args = process.argv.slice(2);
const code = await runCli(program, args, deps);
// An orderly stop of what runs until it is stopped is success; an interrupted command is not.
const runsOn = args[0] === 'serve' || args[0] === 'siderolink-client';
process.exitCode = runsOn && code === 130 ? 0 : code;
