import { execFileSync } from 'node:child_process';

const CLONE_NEWNET = 0x4000_0000;

/**
 * Move this process into a network of its own, which ends with it: its netlink sockets, and the programs that it starts.
 *
 * @returns why that cannot be done here, or false.
 */
export async function enterPrivateNetwork(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root for a network namespace';
  try {
    execFileSync('ip', ['-V'], { stdio: 'ignore' });
    const { default: koffi } = await import('koffi');
    const unshare = koffi.load(null).func('int unshare(int)');
    return unshare(CLONE_NEWNET) === 0 ? false : 'a network namespace was refused';
  } catch {
    return 'needs ip and FFI for a network namespace';
  }
}

/** Run `ip` and return what it printed. Throws when it fails. */
export function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Run many commands of `ip` in one process; those that are refused do not stop the others. */
export function ipBatch(commands: readonly string[]): void {
  try {
    execFileSync('ip', ['-force', '-batch', '-'], { input: commands.join('\n'), stdio: ['pipe', 'ignore', 'ignore'] });
  } catch {
    // Some were refused.
  }
}

/** What `ip -j` says. */
export function ipJson<T>(...args: readonly string[]): readonly T[] {
  return JSON.parse(ip('-j', ...args) || '[]');
}
