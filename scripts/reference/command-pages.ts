import { EXIT } from '@bloomery/cli';
import type { Command } from 'commander';
import { SIDERO_POD_VARIABLES, SIDERO_VARIABLES } from '../../packages/bloomery/src/serve/options.ts';
import { wholeCli } from '../../packages/bloomery/src/testing/whole-cli.ts';

const HELP_WIDTH = 100;

/** What each exit code tells a script. A code without a text here does not compile. */
const EXIT_MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'Done.',
  failed: 'Something failed that no other code describes.',
  usage: 'The command line is wrong. Nothing was done.',
  notFound: 'An object, server or kind of that name does not exist.',
  refused: 'The request was refused: not permitted, not valid, in conflict, or guarded.',
  timedOut: 'A deadline passed.',
  unreachable: 'No manager is known, or it does not answer.',
  partly: 'Some of several servers failed; stderr names them.',
  differences: 'Differences were found.',
  interrupted: 'You pressed Ctrl-C.',
};

/** Every command but `serve`, as its own help says it, and the exit codes. */
export function cliPage(): string {
  const program = wholeCli();
  const sections = commandsOf(program).flatMap((command) => sectionsOf(`bloomery ${command.name()}`, command));
  const codes = Object.entries(EXIT).map(([name, code]) => `| ${code} | ${EXIT_MEANING[name as keyof typeof EXIT]} |`);
  return `# Command line

Run \`./bloomery\` in the source tree. \`bloomery COMMAND --help\` prints what stands here.
[\`bloomery serve\`](serve.md) has a page of its own.

Commands that talk to a manager find it in this order: \`--kubeconfig\`, the variable \`KUBECONFIG\`, the data directory of the
newest \`bloomery serve\` of this user, the service account of a pod.

Results go to stdout, notes and errors to stderr. An error names what failed, its [code](error-codes.md), and a command to
try. With \`-o json\` or \`--json\` it is one JSON object.

${helpBlock(program)}

${sections.join('\n\n')}

## Exit codes

| code | meaning |
|---|---|
${codes.join('\n')}
`;
}

/** Flags of `bloomery serve` and the variables that stand for them. */
export function servePage(): string {
  const serve = wholeCli().commands.find((command) => command.name() === 'serve');
  if (serve === undefined) throw new Error('there is no command serve');
  const rows = Object.entries(SIDERO_VARIABLES).map(
    ([variable, name]) => `| \`${PREFIX}${variable}\` | ${meaningOf(variable, name, serve)} |`,
  );
  const ignored = SIDERO_POD_VARIABLES.map((variable) => `\`${PREFIX}${variable}\``);
  return `# bloomery serve

Starts the management plane: a Kubernetes-compatible API, the boot services, the controllers and the management link, in one
process. Everything has a default. Ports 67 and 69 and the link need root; without it these parts are left out and the rest
serves.

${helpBlock(serve)}

A listen address is \`HOST:PORT\`, \`:PORT\` or \`[IPv6]:PORT\`. Port 0 picks a free port. Durations are written \`90s\`, \`20m\`
or \`1h30m\`.

What the process writes, which ports it opens and how it says where: [files and ports](files-and-ports.md).

## Variables of Sidero Metal

Variables of Sidero's controller manager are honoured. A flag wins over its variable. Empty and \`-\` mean "not given".

| variable | same as |
|---|---|
${rows.join('\n')}

${ignored.join(' and ')} have nothing to act on and are accepted silently.
`;
}

const PREFIX = 'SIDERO_CONTROLLER_MANAGER_';

/** Variables that are no flag of the same name. */
const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  API_ENDPOINT: 'the host of `--advertise`',
  API_PORT: 'the port of `--advertise`',
  CONTAINER_API_PORT: 'the port of `--listen`',
  SIDEROLINK_ENDPOINT: 'the host of `--siderolink-advertise`',
  SIDEROLINK_PORT: 'the port of `--siderolink-listen` and of `--siderolink-advertise`',
  EVENTS_NEGATIVE_ADDRESS_FILTER: '`--negative-address-filter`',
  TEST_POWER_EXPLICIT_FAILURE: 'no flag: share of management API calls that fail, 0 to 1, for tests',
  TEST_POWER_SILENT_FAILURE: 'no flag: share of management API calls that do nothing, 0 to 1, for tests',
};

function meaningOf(variable: string, name: string, serve: Command): string {
  const other = OTHER_VARIABLES[variable];
  if (other !== undefined) return other;
  const option = serve.options.find((candidate) => candidate.attributeName() === name);
  if (option?.long === undefined || option.long === null) throw new Error(`${variable} needs a text in the reference`);
  return `\`${option.long}\``;
}

function commandsOf(program: Command): readonly Command[] {
  return program.commands.filter((command) => command.name() !== 'serve');
}

/** A command and the commands below it. */
function sectionsOf(title: string, command: Command): string[] {
  const below = command.commands.flatMap((one) => sectionsOf(`${title} ${one.name()}`, one));
  return [`## ${title}\n\n${helpBlock(command)}`, ...below];
}

function helpBlock(command: Command): string {
  const help = command.configureHelp({ helpWidth: HELP_WIDTH }).helpInformation();
  return `\`\`\`text\n${help.trimEnd()}\n\`\`\``;
}
