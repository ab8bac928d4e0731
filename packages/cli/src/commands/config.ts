import { findCondition } from '@bloomery/kube';
import { talosConfig } from '@bloomery/model';
import { BloomeryError } from '@bloomery/ports';
import { diffConfigs, redactConfig, writeConfig } from '@bloomery/talos';
import { findMachine, type MachineChain, machinesOfCluster } from '../config/find-machine.ts';
import { readShownConfig, type ShownConfig } from '../config/read-config.ts';
import { EXIT, usageError } from '../exit-code.ts';
import { dataText, type FormatOptions, formatOf } from '../output/format.ts';
import { tableText } from '../output/table.ts';
import type { Session } from '../session.ts';

/** Options of `bloomery config`. */
export interface ConfigOptions extends FormatOptions {
  /** Tokens, keys and passwords too. */
  readonly showSecrets?: boolean;
  /** Only what the TalosConfig made, without the patches of ServerClass and Server. */
  readonly bootstrap?: boolean;
  /** Another machine to compare with. */
  readonly diff?: string;
}

/**
 * `bloomery config [show] NAME`: the configuration that a machine is served, with where it comes from, the machine's server, its log
 * and what it waits for. Of a Cluster: its machines with the same, as a table. Secrets are hidden unless asked for.
 *
 * @throws BloomeryError BLM_CLI_USAGE, BLM_CLI_NAME_UNKNOWN, BLM_CLI_REFUSED, BLM_API_FORBIDDEN without the right to read Secrets
 */
export async function config(session: Session, words: readonly string[], options: ConfigOptions): Promise<number> {
  const [name, ...rest] = words[0] === 'show' ? words.slice(1) : words;
  if (name === undefined || rest.length > 0) {
    throw usageError(
      'config of what? Name a machine, TalosConfig, MetalMachine, server or cluster',
      'bloomery config --help',
    );
  }
  const members = /^(?!cl)[^/]*\//i.test(name) ? undefined : await machinesOfCluster(session, name);
  if (members !== undefined) {
    await printCluster(session, members, options);
    return EXIT.done;
  }
  const chain = await findMachine(session, name);
  const shown = await readShownConfig(session, chain, options.bootstrap === true);
  if (shown === undefined) throw notYet(chain);
  if (options.diff !== undefined) return printDiff(session, shown, options.diff, options);
  const documents = options.showSecrets === true ? shown.documents : redactConfig(shown.documents);
  const body = writeConfig(documents, 'lenient');
  const { stdout } = session.deps;
  if (formatOf(options) === 'json') {
    const head = { apiVersion: 'cli.bloomery.dev/v1', kind: 'MachineConfig', ...factsOf(chain) };
    stdout.write(await dataText({ ...head, sources: [...shown.sources], config: body }, 'json'));
    return EXIT.done;
  }
  stdout.write(`${headText(chain, shown, options)}${body}`);
  return EXIT.done;
}

async function printDiff(session: Session, shown: ShownConfig, other: string, options: ConfigOptions): Promise<number> {
  const { stdout, stderr } = session.deps;
  const chain = await findMachine(session, other);
  const against = await readShownConfig(session, chain, options.bootstrap === true);
  if (against === undefined) throw notYet(chain);
  const changes = diffConfigs(against.documents, shown.documents);
  if (formatOf(options) === 'json') {
    const list = { apiVersion: 'cli.bloomery.dev/v1', kind: 'ConfigChangeList', items: changes.map((c) => ({ ...c })) };
    stdout.write(await dataText(list, 'json'));
  } else if (changes.length > 0) {
    const rows = changes.map(({ document, path, change, from = '', to = '' }) => [document, path, change, from, to]);
    stdout.write(tableText(['DOCUMENT', 'PATH', 'CHANGE', `IN ${other}`, 'HERE'], rows));
  } else stderr.write('No differences.\n');
  return changes.length > 0 ? EXIT.differences : EXIT.done;
}

async function printCluster(session: Session, chains: readonly MachineChain[], options: ConfigOptions): Promise<void> {
  const { stdout } = session.deps;
  const items = chains.map(factsOf);
  if (formatOf(options) === 'json') {
    stdout.write(await dataText({ apiVersion: 'cli.bloomery.dev/v1', kind: 'MachineConfigList', items }, 'json'));
    return;
  }
  const rows = items.map((f) =>
    [f.machine, f.type, f.talosConfig, f.secret, f.server, f.waitingFor].map((c) => c || '-'),
  );
  stdout.write(tableText(['MACHINE', 'TYPE', 'TALOSCONFIG', 'BOOTSTRAP DATA', 'SERVER', 'WAITING-FOR'], rows));
}

interface Facts {
  readonly machine: string;
  readonly cluster: string;
  readonly type: string;
  readonly talosConfig: string;
  readonly secret: string;
  readonly metalMachine: string;
  readonly server: string;
  readonly hostname: string;
  readonly phase: string;
  readonly waitingFor: string;
}

function factsOf({ machine, talosConfig: config, metalMachine, binding, server }: MachineChain): Facts {
  return {
    machine: machine.metadata.name,
    cluster: machine.spec?.clusterName ?? '',
    type: config?.spec?.generateType ?? '',
    talosConfig: machine.spec?.bootstrap.configRef?.name ?? '',
    secret: machine.spec?.bootstrap.dataSecretName ?? '',
    metalMachine: metalMachine?.metadata.name ?? '',
    server: metalMachine?.spec?.serverRef?.name ?? '',
    hostname: binding?.spec?.hostname ?? server?.spec?.hostname ?? '',
    phase: machine.status?.phase ?? '',
    waitingFor: machine.status?.waitingFor ?? metalMachine?.status?.waitingFor ?? server?.status?.waitingFor ?? '',
  };
}

/** Comments before the configuration: it stays one that can be loaded. */
function headText(chain: MachineChain, { sources }: ShownConfig, { showSecrets }: ConfigOptions): string {
  const facts = factsOf(chain);
  const waits =
    facts.waitingFor === '' ? 'nothing' : `${facts.waitingFor}   (bloomery explain machine/${facts.machine})`;
  const on = facts.hostname === '' ? facts.server : `${facts.server} (${facts.hostname})`;
  const lines: (readonly [name: string, value: string])[] = [
    ['machine', `${facts.machine} of cluster ${facts.cluster}, ${facts.phase || 'no phase yet'}`],
    ['made from', sources.join('\n#              ')],
    ['server', on === '' ? 'none yet' : on],
    ['log', `bloomery logs machine/${facts.machine}`],
    ['waits for', waits],
    ...(showSecrets === true ? [] : [['secrets', 'hidden; --show-secrets shows them'] as const]),
  ];
  return lines.map(([name, value]) => `# ${`${name}:`.padEnd(13)}${value}\n`).join('');
}

function notYet({ machine, talosConfig: config }: MachineChain): BloomeryError {
  const { name } = machine.metadata;
  const state = findCondition(config?.status?.conditions, 'DataSecretAvailable');
  const why =
    config === undefined
      ? machine.spec?.bootstrap.configRef === undefined
        ? 'it names no bootstrap config'
        : `${machine.spec.bootstrap.configRef.kind ?? talosConfig.kind} ${machine.spec.bootstrap.configRef.name ?? ''} made none`
      : `TalosConfig ${config.metadata.name}: ${state?.message ?? 'it was not looked at yet'}`;
  return new BloomeryError('BLM_CLI_REFUSED', `machine ${name} has no configuration yet: ${why}`, {
    facts: { try: `bloomery explain machine/${name}` },
  });
}
