import { readFile, readlink } from 'node:fs/promises';

/** A part of the address space of this process. */
export interface MemoryRange {
  readonly address: number;
  readonly length: number;
}

/**
 * Where a file is mapped and nothing that was read of it has been changed: its pages may be forgotten, and are read again when used.
 *
 * @param smaps What the kernel says in /proc/PID/smaps.
 */
export function cleanMappings(smaps: string, file: string): readonly MemoryRange[] {
  return smaps.split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/).flatMap((mapping) => {
    const [, from, to, path] = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \d+ +(\S.*)$/m.exec(mapping) ?? [];
    const changedKiB = /^Anonymous: +(\d+) kB$/m.exec(mapping)?.[1];
    if (from === undefined || to === undefined || path !== file || changedKiB !== '0') return [];
    const address = Number.parseInt(from, 16);
    return [{ address, length: Number.parseInt(to, 16) - address }];
  });
}

const MADV_DONTNEED = 4;

/**
 * Give back the pages of Node's own executable that a start has touched: parsers, compilers and tables that a daemon at rest never
 * reads again, 40 MB of them. They stay in the page cache, from where what is needed after all comes back with its next use. The kernel
 * takes such pages by itself when memory is short: until then they would count as this process's. Where it does not say what is mapped,
 * or there is no FFI, all stays as it is.
 */
export async function releaseStartPages(): Promise<void> {
  try {
    const [smaps, executable] = await Promise.all([readFile('/proc/self/smaps', 'latin1'), readlink('/proc/self/exe')]);
    const { default: koffi } = await import('koffi');
    const madvise = koffi.load(null).func('int madvise(uintptr_t, size_t, int)');
    for (const { address, length } of cleanMappings(smaps, executable)) madvise(address, length, MADV_DONTNEED);
  } catch {
    // It is memory that could be spared, nothing else.
  }
}
