import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Reads below /sys. Paths are relative to it. What cannot be read is not there. */
export interface SysfsReader {
  /** A file. */
  bytes(path: string): Uint8Array | undefined;
  /** Names in a folder, in no certain order; symlinks among them. */
  list(path: string): readonly string[];
  /** Where a path leads when all symlinks in it are followed; undefined when it leads nowhere. */
  real(path: string): string | undefined;
}

/** More than any attribute has: a PCI configuration space has 4 KiB. */
const MAX_ATTRIBUTE_BYTES = 64 * 1024;

/** The real one. `root` is where `sys` is: `/` but in tests. */
export function openSysfs(root: string): SysfsReader {
  const sys = join(root, 'sys');
  return {
    bytes: (path) => attempt(() => readFileSync(join(sys, path)).subarray(0, MAX_ATTRIBUTE_BYTES)),
    list: (path) => attempt(() => readdirSync(join(sys, path))) ?? [],
    real: (path) => attempt(() => relative(sys, realpathSync(join(sys, path)))),
  };
}

/** Many attributes of sysfs fail for devices that do not have what they tell. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
