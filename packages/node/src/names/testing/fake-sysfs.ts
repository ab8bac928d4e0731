import type { SysfsReader } from '../sysfs.ts';

/** A sysfs as data: paths below /sys. Texts get a newline; links lead to paths below /sys. */
export interface SysfsTree {
  readonly files: Readonly<Record<string, string | { readonly hex: string }>>;
  readonly dirs?: readonly string[];
  readonly links: Readonly<Record<string, string>>;
}

const MAX_LINKS = 40;

/** A reader of a sysfs that is data. */
export function fakeSysfs({ files, dirs = [], links }: SysfsTree): SysfsReader {
  const folders = new Map<string, Set<string>>([['', new Set()]]);
  const addTo = (path: string): void => {
    const parts = path.split('/');
    for (let i = 0; i < parts.length; i++) {
      const folder = parts.slice(0, i).join('/');
      const children = folders.get(folder) ?? new Set();
      children.add(parts[i] ?? '');
      folders.set(folder, children);
    }
  };
  for (const path of [...Object.keys(files), ...Object.keys(links)]) addTo(path);
  for (const path of [...dirs, ...Object.values(links)]) {
    addTo(path);
    if (!folders.has(path)) folders.set(path, new Set());
  }
  const exists = (path: string): boolean => folders.has(path) || path in files;

  /** One part after the other, as the kernel walks. */
  function real(path: string, depth = 0): string | undefined {
    if (depth > MAX_LINKS) return undefined;
    const done: string[] = [];
    const todo = path.split('/');
    for (let part = todo.shift(); part !== undefined; part = todo.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        done.pop();
        continue;
      }
      done.push(part);
      const target = links[done.join('/')];
      if (target !== undefined) return real([target, ...todo].join('/'), depth + 1);
      if (!exists(done.join('/'))) return undefined;
    }
    return done.join('/');
  }

  return {
    real: (path) => real(path),
    bytes: (path) => {
      const at = real(path);
      const value = at === undefined ? undefined : files[at];
      if (value === undefined) return undefined;
      return typeof value === 'string' ? Buffer.from(`${value}\n`) : Buffer.from(value.hex, 'hex');
    },
    list: (path) => {
      const at = real(path);
      return at === undefined ? [] : [...(folders.get(at) ?? [])];
    },
  };
}
