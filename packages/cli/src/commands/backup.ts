import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BACKUP_PATH, type BackupHead, createBackupCheck, syncDirectory } from '@bloomery/kubeapi';
import { BloomeryError, errorText } from '@bloomery/ports';
import type { Session } from '../session.ts';

/** Options of `bloomery backup`. */
export interface BackupCommandOptions {
  readonly force?: boolean;
  readonly json?: boolean;
}

/**
 * `bloomery backup FILE`: read a backup of the running plane and write it, 0600. The file gets its name only when it is whole
 * and on disk.
 *
 * @throws BloomeryError BLM_CLI_REFUSED when the file exists, BLM_BACKUP_FAILED, BLM_BACKUP_INVALID, BLM_API_*.
 */
export async function backup(session: Session, name: string, options: BackupCommandOptions): Promise<void> {
  const { deps } = session;
  const file = resolve(name);
  if (existsSync(file) && options.force !== true) {
    const message = `writing the backup ${file}: it exists, and a backup is not overwritten`;
    throw new BloomeryError('BLM_CLI_REFUSED', message, { facts: { file, try: `bloomery backup ${name} --force` } });
  }
  const startedMs = deps.clock.nowMs();
  const partial = `${file}.partial`;
  let head: BackupHead;
  try {
    head = await receive(session, partial);
    renameSync(partial, file);
    syncDirectory(dirname(file));
  } catch (error) {
    rmSync(partial, { force: true });
    if (error instanceof BloomeryError) throw error;
    throw new BloomeryError('BLM_BACKUP_FAILED', `writing the backup ${file}: ${errorText(error)}`, {
      facts: { file },
      cause: error,
    });
  }
  const { size: bytes } = statSync(file);
  const { revision, objects, time, files } = head;
  if (options.json === true) {
    deps.stdout.write(`${JSON.stringify({ file, revision, objects, files, time, bytes })}\n`);
    return;
  }
  const seconds = ((deps.clock.nowMs() - startedMs) / 1000).toFixed(1);
  deps.stdout.write(
    `${file}: ${objects} objects and ${files} files as of ${time}, revision ${revision}, ${(bytes / 1e6).toFixed(1)} MB in ${seconds} s\n`,
  );
  deps.stderr.write('It holds every Secret and the keys of the authority: keep it as you keep those.\n');
}

async function receive(session: Session, partial: string): Promise<BackupHead> {
  const check = createBackupCheck('that the plane sent');
  rmSync(partial, { force: true });
  const handle = openSync(partial, 'wx', 0o600);
  try {
    const call = {
      method: 'GET',
      path: BACKUP_PATH,
      accept: 'application/x-ndjson',
      signal: session.deps.signal,
    } as const;
    for await (const text of session.client.transport.lines(call)) {
      const line = Buffer.from(`${text}\n`);
      check.line(line.subarray(0, -1));
      for (let at = 0; at < line.length; ) at += writeSync(handle, line, at);
    }
    const head = check.end();
    fsyncSync(handle);
    return head;
  } finally {
    closeSync(handle);
  }
}
