import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { BloomeryError, errorText } from '@bloomery/ports';

/** Bound addresses as `host:port`, null for what does not run. The content of DIR/endpoints.json (design: Surface). */
export interface Endpoints {
  readonly kube: string | null;
  readonly http: string | null;
  readonly grpc: string | null;
  readonly tftp: string | null;
  readonly dhcp: string | null;
  readonly siderolink: string | null;
  readonly discovery: string | null;
  readonly metrics: string | null;
  readonly console: string | null;
}

/**
 * Make the data directory (0700, also when it existed) and remove the endpoints of an earlier run, so that nobody reads stale ones.
 *
 * @throws BLM_SERVE_DATA_DIR when it cannot be made or is not ours.
 */
export function prepareDataDir(dir: string): void {
  try {
    makeDirectory(dir);
    chmodSync(dir, 0o700);
    rmSync(join(dir, 'endpoints.json'), { force: true });
  } catch (error) {
    throw new BloomeryError('BLM_SERVE_DATA_DIR', `cannot use data directory ${dir}: ${errorText(error)}`, {
      facts: { dir },
      cause: error,
    });
  }
}

/**
 * A directory (0700) with its parents. Node's own way does not end where a parent exists and nothing can be made in it (/proc, autofs).
 *
 * @throws the error of the file system.
 */
export function makeDirectory(dir: string): void {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = dirname(dir);
  if (parent !== dir) makeDirectory(parent);
  mkdirSync(dir, { mode: 0o700 });
}

/** Write a file whole or not at all: temporary file, fsync, rename. */
export function writeFileWhole(file: string, text: string, mode: number): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, text, { mode });
  chmodSync(temporary, mode);
  const descriptor = openSync(temporary, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(temporary, file);
}

/** Write DIR/endpoints.json: the last step of a start. */
export function writeEndpoints(dir: string, endpoints: Endpoints): void {
  writeFileWhole(join(dir, 'endpoints.json'), `${JSON.stringify(endpoints, undefined, 2)}\n`, 0o644);
}

/** Remove DIR/endpoints.json: nothing listens any more. */
export function removeEndpoints(dir: string): void {
  rmSync(join(dir, 'endpoints.json'), { force: true });
}

/** Remember `dir` as the newest data directory, for commands without --kubeconfig. */
export function recordCurrent(stateHome: string, dir: string): void {
  const file = join(stateHome, 'bloomery', 'current');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileWhole(file, `${dir}\n`, 0o600);
}

/** The default data directory: /var/lib/bloomery as root, else the XDG data directory. */
export function defaultDataDir(uid: number, environment: Readonly<Record<string, string | undefined>>): string {
  if (uid === 0) return '/var/lib/bloomery';
  const home = environment['XDG_DATA_HOME'] ?? join(environment['HOME'] ?? '.', '.local/share');
  return join(home, 'bloomery');
}

/** The XDG state directory. */
export function stateHome(environment: Readonly<Record<string, string | undefined>>): string {
  return environment['XDG_STATE_HOME'] ?? join(environment['HOME'] ?? '/root', '.local/state');
}
