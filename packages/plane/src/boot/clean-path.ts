import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

/**
 * A path from the network as folders and a file below some root: backslashes count as slashes, empty and `.` parts vanish, `..`
 * never leaves the root.
 */
export function cleanPath(path: string): readonly string[] {
  const parts: string[] = [];
  for (const part of path.replaceAll('\\', '/').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/**
 * The real path of something below `root`; undefined when it does not exist or a symbolic link leads out of it.
 *
 * @param parts as cleanPath gives them
 */
export async function resolveInside(root: string, parts: readonly string[]): Promise<string | undefined> {
  if (parts.length === 0 || parts.some((part) => part.includes('\0') || part.length > 255)) return undefined;
  try {
    const realRoot = await realpath(root);
    const real = await realpath(join(realRoot, ...parts));
    return real.startsWith(realRoot + sep) ? real : undefined;
  } catch {
    return undefined;
  }
}
