import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import {
  type BackupHead,
  isStoreInUse,
  openStore,
  type RestoredStore,
  readBackup,
  restoreStore,
  storeFiles,
  syncDirectory,
  type VerifiedBackup,
} from '@bloomery/kubeapi';
import { BloomeryError, type Clock, type Logger, type RandomBytes } from '@bloomery/ports';
import { holdFreeServers, SERVER_BINDINGS } from './hold-servers.ts';

/** What a restore needs. */
export interface RestoreOptions {
  /** The backup. */
  readonly file: string;
  /** The data directory. */
  readonly dir: string;
  /** Restore into a directory that is not empty; what is replaced is kept in a folder in it. */
  readonly force: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: RandomBytes;
}

/** What a restore did. */
export interface RestoreResult {
  readonly head: BackupHead;
  readonly store: RestoredStore;
  /** Names of Servers that are parked until somebody confirms. */
  readonly held: readonly string[];
  /** Folder with what was there before; undefined when there was nothing. */
  readonly aside: string | undefined;
}

/**
 * What belongs to the state of a plane and is replaced as a whole. Other files (assets, images, the timeline, logs) stay.
 * Boot sessions go: their tokens are of boots that are over.
 */
const STATE = [
  'store.db',
  'store.db-wal',
  'store.db-shm',
  'store.db-wal.suspect',
  'store.key',
  'store.mark',
  'pki',
  'kubeconfig',
  'endpoints.json',
  'boot-sessions.jsonl',
];
const BUILD = 'restore.building';
const ASIDE = 'before-restore-';

/**
 * Make a data directory from a backup. The backup is verified and the new store is built and opened before anything is
 * replaced; an interruption after that leaves a directory that `serve` refuses until the restore is run again.
 *
 * @throws BloomeryError BLM_RESTORE_REFUSED, BLM_BACKUP_INVALID, BLM_STORE_*.
 */
export async function restore(options: RestoreOptions): Promise<RestoreResult> {
  const { dir, file } = options;
  const backup = readBackup(file);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  refuseOccupied(options);
  const build = join(dir, BUILD);
  rmSync(build, { recursive: true, force: true });
  const store = await restoreStore({
    backup,
    dir: build,
    random: options.random,
    change: holdFreeServers(boundServers(backup)),
  });
  restoreFiles(backup, build, file);
  await requireReadable(options, build, store);
  const aside = swap(options, build);
  const held = store.changed.map(({ metadata }) => metadata.name).sort();
  return { head: backup.head, store, held, aside };
}

function refuseOccupied({ dir, force }: RestoreOptions): void {
  if (isStoreInUse(dir)) {
    const message = `restoring into ${dir}: a running plane uses it; stop it first`;
    throw new BloomeryError('BLM_RESTORE_REFUSED', message, { facts: { dir } });
  }
  const found = readdirSync(dir).filter((name) => name !== BUILD && name !== 'lost+found');
  if (found.length === 0 || force) return;
  const message = `restoring into ${dir}: it is not empty (${found.slice(0, 5).join(', ')}); with --force what is there is kept in a folder of it`;
  throw new BloomeryError('BLM_RESTORE_REFUSED', message, { facts: { dir } });
}

function boundServers(backup: VerifiedBackup): ReadonlySet<string> {
  const names = new Set<string>();
  for (const line of backup.content())
    if (line.kind === 'object' && line.resource === SERVER_BINDINGS) names.add(line.object.metadata.name);
  return names;
}

function restoreFiles(backup: VerifiedBackup, build: string, source: string): void {
  for (const line of backup.content()) {
    if (line.kind !== 'file') continue;
    const name = normalize(line.name);
    if (!/^pki\/[^/]+$/.test(name)) {
      throw new BloomeryError(
        'BLM_BACKUP_INVALID',
        `Reading the backup ${source}: it holds a file ${line.name}, which is none of a plane`,
      );
    }
    const folder = dirname(join(build, name));
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(build, name), line.content, { mode: 0o600, flush: true });
    syncDirectory(folder);
  }
}

/** Open what was built as `serve` will, with all its checks. */
async function requireReadable(
  { clock, log, random }: RestoreOptions,
  build: string,
  made: RestoredStore,
): Promise<void> {
  const store = openStore({ dir: build, clock, log, random });
  const count = store.resources().reduce((sum, resource) => sum + store.list(resource).length, 0);
  const { revision } = store;
  await store.close();
  if (count !== made.objects || revision !== made.revision)
    throw new BloomeryError(
      'BLM_STORE_CORRUPT',
      `Checking the restored store ${build}: it holds ${count} of ${made.objects} objects`,
    );
}

/** Replace the state: the old one aside, then the new one in its place, under a mark that a crash leaves behind. */
function swap({ dir, clock }: RestoreOptions, build: string): string | undefined {
  const mark = storeFiles(dir).unfinishedRestore;
  writeFileSync(mark, 'A restore is under way. If none is running: bloomery restore FILE --force\n', {
    mode: 0o600,
    flush: true,
  });
  syncDirectory(dir);
  if (isStoreInUse(dir)) {
    rmSync(mark, { force: true });
    throw new BloomeryError(
      'BLM_RESTORE_REFUSED',
      `restoring into ${dir}: a plane was started meanwhile; stop it first`,
      { facts: { dir } },
    );
  }
  const old = STATE.filter((name) => existsSync(join(dir, name)));
  const aside = old.length === 0 ? undefined : join(dir, `${ASIDE}${timeName(clock)}`);
  if (aside !== undefined) {
    mkdirSync(aside, { mode: 0o700 });
    for (const name of old) renameSync(join(dir, name), join(aside, name));
    syncDirectory(aside);
  }
  for (const name of readdirSync(build)) renameSync(join(build, name), join(dir, name));
  rmSync(build, { recursive: true, force: true });
  syncDirectory(dir);
  rmSync(mark);
  syncDirectory(dir);
  return aside;
}

function timeName(clock: Clock): string {
  return new Date(clock.nowMs()).toISOString().replace(/[-:]/g, '').replace('.', '_');
}
