import type { Disk } from '../hardware/disk.ts';

/** A stretch of a disk, in bytes. */
export interface ByteRange {
  readonly start: bigint;
  readonly length: bigint;
}

/** How one disk is wiped. */
export interface WipePlan {
  /** Tell the disk first that nothing on it matters; a failure of this is no failure. */
  readonly discardAll: boolean;
  /** Must read as zeroes afterwards. */
  readonly zero: readonly ByteRange[];
}

const MIB = 1n << 20n;

/** Fast: discard everything, zero the first and the last MiB. Full: zero everything. */
export function planWipe(sizeBytes: bigint, mode: 'fast' | 'full'): WipePlan {
  if (mode === 'full') return { discardAll: false, zero: [{ start: 0n, length: sizeBytes }] };
  const head = { start: 0n, length: sizeBytes < MIB ? sizeBytes : MIB };
  const tail = { start: sizeBytes - MIB, length: MIB };
  return { discardAll: true, zero: sizeBytes >= 2n * MIB ? [head, tail] : [head] };
}

/** Disks that are wiped: not the read-only ones. */
export function disksToWipe(disks: readonly Disk[]): Disk[] {
  return disks.filter((disk) => !disk.readOnly);
}
