import { open, realpath } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { grpcError } from '@bloomery/grpc';
import { errorText } from '@bloomery/ports';
import type { ConfigStore } from '../config/config-store.ts';

/** Where Talos keeps the machine configuration. */
const CONFIG_FILE = '/system/state/config.yaml';
/** Files of the host that may be read: those that this daemon writes. */
const HOST_FILES = ['/etc/hosts', '/etc/resolv.conf'];
const MAX_BYTES = 4 << 20;

/** Everything that `talosctl read` gives. */
export const READABLE_FILES: readonly string[] = [...HOST_FILES, CONFIG_FILE];

/**
 * The content of one of READABLE_FILES.
 *
 * @throws BloomeryError BLM_GRPC_STATUS PERMISSION_DENIED for other files, NOT_FOUND when it is not there.
 */
export async function readReadable(path: string, store: ConfigStore, root: string): Promise<Uint8Array> {
  const asked = normalize(path.slice(0, 4_096));
  if (asked === CONFIG_FILE) return Buffer.from(store.persistent.text);
  if (!HOST_FILES.includes(asked)) {
    const message = `reading ${JSON.stringify(asked.slice(0, 200))} is not allowed: this node shows ${READABLE_FILES.join(', ')}`;
    throw grpcError('PERMISSION_DENIED', message);
  }
  try {
    return await readBounded(join(root, asked));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') throw grpcError('NOT_FOUND', `stat ${asked}: no such file or directory`, error);
    throw grpcError('INTERNAL', `reading ${asked}: ${errorText(error)}`, error);
  }
}

async function readBounded(path: string): Promise<Uint8Array> {
  const file = await open(await realpath(path), 'r');
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('path must be a regular file');
    const buffer = Buffer.alloc(Math.min(stat.size, MAX_BYTES));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** What lies in a folder, as far as it may be read. Paths are absolute; the folder itself comes first. */
export function listReadable(root: string): { readonly name: string; readonly isDirectory: boolean }[] | undefined {
  const folder = normalize(`/${root}`).replace(/(.)\/$/, '$1');
  if (READABLE_FILES.includes(folder)) return [{ name: folder, isDirectory: false }];
  const prefix = folder === '/' ? '/' : `${folder}/`;
  const below = READABLE_FILES.filter((file) => file.startsWith(prefix));
  if (below.length === 0) return undefined;
  const entries = new Map(
    below.map((file) => {
      const [part = '', ...rest] = file.slice(prefix.length).split('/');
      return [prefix + part, rest.length > 0];
    }),
  );
  return [
    { name: folder, isDirectory: true },
    ...[...entries].sort().map(([name, isDirectory]) => ({ name, isDirectory })),
  ];
}
