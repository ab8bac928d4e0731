import { statSync } from 'node:fs';
import { BloomeryError, type Logger } from '@bloomery/ports';

/** Writable by the group or by everybody. */
const OTHERS_WRITE = 0o022;

export interface FolderUsers {
  /** Whom the daemon runs as. */
  readonly uid: number;
  /** Who asked for that, with sudo. */
  readonly sudoUid?: number;
}

/**
 * Look who else writes the daemon's folder: its configuration, and what is put back into /etc, come from there. An open one is said.
 *
 * @throws BloomeryError BLM_NODE_STATE_UNUSABLE when it belongs to another user.
 */
export function checkFolderOwner(dir: string, { uid, sudoUid }: FolderUsers, log: Logger): void {
  const { uid: owner, mode } = statSync(dir);
  if (owner !== uid && owner !== 0 && owner !== sudoUid) {
    const next = 'give it to yourself (chown) when its content is yours, or give --state another folder';
    const message = `using ${dir}: it belongs to another user (uid ${owner}), who could tell the daemon what to do; ${next}`;
    throw new BloomeryError('BLM_NODE_STATE_UNUSABLE', message, { facts: { dir, owner, uid } });
  }
  if ((mode & OTHERS_WRITE) === 0) return;
  const reason = 'others can write it, and tell the daemon what to do: chmod go-w';
  log.warn('node.state_folder_open', { dir, mode: (mode & 0o7777).toString(8), reason });
}
