import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { BloomeryError, errorText, type Logger } from '@bloomery/ports';
import { readIfThere, type WriteStep, writeDurably } from './durable-file.ts';
import { checkNodeConfig, type LoadedNodeConfig } from './load-node-config.ts';

/** Where the configuration comes from. */
export interface ConfigSources {
  /** Folder of the daemon's own files; exists. */
  readonly stateDir: string;
  /** The file that seeds it. */
  readonly file?: string;
  readonly log: Logger;
  /** For tests: called at each step of a write, with the file it is for. */
  readonly atStep?: (step: `${'config' | 'seed'}-${WriteStep}`) => void;
}

/** The configuration to start with, and why it is not the one that should rule. */
export interface AcquiredConfig extends LoadedNodeConfig {
  readonly refusal?: string;
}

/** The configuration that is kept. */
export const configPath = (stateDir: string): string => join(stateDir, 'config.yaml');

/** What was kept and could no longer be loaded. */
const refusedPath = (stateDir: string): string => join(stateDir, 'config.refused.yaml');

/** Remembers which FILE was taken, so that a change of it is noticed. */
const seedPath = (stateDir: string): string => join(stateDir, 'config-seed.sha256');

/**
 * The configuration to start with. At the first start the file is taken over into the state folder, from then on the one there rules;
 * a file that has changed since it was taken is taken over again. After a crash at any instant the next start ends the same way.
 *
 * @throws BloomeryError BLM_NODE_CONFIG_MISSING when there is neither; BLM_TALOS_CONFIG_INVALID when the one that rules cannot be
 * loaded. A changed file that cannot be loaded is said in the log and left alone, and when what was kept cannot be loaded the file is
 * taken again, changed or not: a host keeps its network. So it does where the disk refuses a file that is taken again.
 */
export async function acquireConfig(sources: ConfigSources): Promise<AcquiredConfig> {
  const { stateDir, file, log } = sources;
  const kept = await read(configPath(stateDir));
  const given = file === undefined ? undefined : await read(file);
  if (kept === undefined) {
    if (given === undefined) throw missing(sources);
    const loaded = checked(given, file ?? '');
    // The seed comes first: a crash between the two seeds again.
    await saveSeed(sources, given);
    await saveConfig(sources, given);
    return loaded;
  }
  if (given === undefined) {
    if (file !== undefined) log.warn('config.file_missing', { file, instead: configPath(stateDir) });
    return checked(kept, configPath(stateDir));
  }
  const isChanged = digest(given) !== (await read(seedPath(stateDir)))?.trim();
  return isChanged ? takeChangedFile(sources, kept, given) : takeKept(sources, kept, given);
}

/** Keep a configuration for the next start. */
export const saveConfig = (
  { stateDir, atStep }: Pick<ConfigSources, 'stateDir' | 'atStep'>,
  text: string,
): Promise<void> => writeDurably(configPath(stateDir), text, 0o600, (step) => atStep?.(`config-${step}`));

const saveSeed = ({ stateDir, atStep }: ConfigSources, text: string): Promise<void> =>
  writeDurably(seedPath(stateDir), `${digest(text)}\n`, 0o600, (step) => atStep?.(`seed-${step}`));

/** What was kept, unless its disk has damaged it or a newer release refuses it: then what it was before somebody applied it. */
async function takeKept(sources: ConfigSources, kept: string, given: string): Promise<AcquiredConfig> {
  const { file = '', stateDir, log } = sources;
  try {
    return checked(kept, configPath(stateDir));
  } catch (error) {
    let loaded: LoadedNodeConfig;
    try {
      loaded = checked(given, file);
    } catch {
      throw error;
    }
    log.error('config.kept_refused', { instead: file, aside: refusedPath(stateDir), error: errorText(error) });
    await unlessDiskRefuses(sources, async () => {
      await writeDurably(refusedPath(stateDir), kept, 0o600);
      await saveConfig(sources, given);
    });
    return { ...loaded, refusal: errorText(error) };
  }
}

async function takeChangedFile(sources: ConfigSources, kept: string, given: string): Promise<AcquiredConfig> {
  const { file, stateDir, log } = sources;
  let loaded: LoadedNodeConfig;
  try {
    loaded = checked(given, file ?? '');
  } catch (error) {
    const instead = configPath(stateDir);
    log.error('config.changed_file_refused', { file, instead, error: errorText(error) });
    return { ...checked(kept, instead), refusal: errorText(error) };
  }
  await unlessDiskRefuses(sources, async () => {
    // The seed comes last: a crash between the two takes the file over again.
    await saveConfig(sources, given);
    await saveSeed(sources, given);
  });
  log.info('config.file_taken', { file, reason: 'changed since it was taken last' });
  return loaded;
}

/** A host whose disk is full keeps its network; the next start takes the file again. */
async function unlessDiskRefuses({ file, log }: ConfigSources, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    log.error('config.not_kept', { file, error: errorText(error) });
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

async function read(path: string): Promise<string | undefined> {
  try {
    return await readIfThere(path);
  } catch (cause) {
    throw new BloomeryError('BLM_NODE_CONFIG_MISSING', `reading ${path}: ${errorText(cause)}`, { cause });
  }
}

/** Not aside: nothing waits at a start, and a slow host must get its network however long its configuration takes. */
function checked(text: string, path: string): LoadedNodeConfig {
  try {
    return checkNodeConfig(text);
  } catch (cause) {
    if (!(cause instanceof BloomeryError)) throw cause;
    throw new BloomeryError(cause.code, `${path}: ${cause.message}`, { facts: { ...cause.facts, path }, cause });
  }
}

function missing({ stateDir, file }: ConfigSources): BloomeryError {
  const asked = file === undefined ? 'no file was given' : `${file} does not exist`;
  const message = `reading the machine configuration: ${configPath(stateDir)} does not exist and ${asked}`;
  return new BloomeryError('BLM_NODE_CONFIG_MISSING', message, { facts: { stateDir, file: file ?? null } });
}
