import { BloomeryError, errorText } from '@bloomery/ports';
import { type Command, CommanderError } from 'commander';
import type { CliDeps } from './cli-deps.ts';
import { outcomeOf } from './command-outcome.ts';
import { EXIT, exitCodeOf, hintOf, usageError } from './exit-code.ts';

/**
 * Run a command line to its end and return the exit code. Errors go to stderr: what failed, why, and what to try; as one
 * JSON object where JSON was asked for.
 *
 * @param args Without program and script.
 */
export async function runCli(program: Command, args: readonly string[], deps: CliDeps): Promise<number> {
  try {
    await program.parseAsync(args, { from: 'user' });
    return deps.signal.aborted ? EXIT.interrupted : outcomeOf(program);
  } catch (error) {
    if (deps.signal.aborted) return EXIT.interrupted;
    const known = asBloomeryError(error, program, args);
    if (known === undefined) return EXIT.done;
    deps.stderr.write(isJsonWanted(args) ? jsonError(known) : errorLines(known));
    return exitCodeOf(known);
  }
}

function asBloomeryError(error: unknown, program: Command, args: readonly string[]): BloomeryError | undefined {
  if (error instanceof BloomeryError) return error;
  if (!(error instanceof CommanderError)) {
    return new BloomeryError('BLM_CLI_FAILED', errorText(error), { cause: error });
  }
  if (error.exitCode === 0) return undefined;
  if (error.code === 'commander.help') {
    return usageError('no command is given', `bloomery --help; commands: ${verbs(program)}`);
  }
  const verb = program.commands.find((command) => command.name() === args[0])?.name();
  return usageError(error.message.replace(/^error: /, ''), verb === undefined ? undefined : `bloomery ${verb} --help`);
}

function verbs(program: Command): string {
  return program.commands.map((command) => command.name()).join(', ');
}

/** Facts that are lists say the message once more for programs: only JSON has them. */
function errorLines(error: BloomeryError): string {
  const why = Object.entries(error.facts)
    .filter(([key, value]) => key !== 'try' && key !== 'status' && !Array.isArray(value))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  const hint = hintOf(error);
  return [
    `error: ${error.message}\n`,
    `${error.code}${why === '' ? '' : ` ${why}`}\n`,
    hint === undefined ? '' : `try: ${hint}\n`,
  ].join('');
}

function jsonError({ code, message, facts }: BloomeryError): string {
  return `${JSON.stringify({ error: { code, message, facts, docs: `reference/error-codes#${code}` } })}\n`;
}

function isJsonWanted(args: readonly string[]): boolean {
  return args.some(
    (arg, i) =>
      arg === '--json' ||
      arg === '-ojson' ||
      arg === '--output=json' ||
      (arg === 'json' && /^(-o|--output)$/.test(args[i - 1] ?? '')),
  );
}
