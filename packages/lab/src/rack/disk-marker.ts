import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/** Text that is written on disks before their first boot, to see that a wipe really removes it. */
export const DISK_MARKER = 'BLOOMERY-LAB-MARKER: this was on the disk before ';

const BLOCK = 4096;

/** Make a disk image with the marker at its begin, in its middle and at its end. */
export function makeMarkedDisk(path: string, sizeBytes: number): void {
  const file = openSync(path, 'w');
  ftruncateSync(file, sizeBytes);
  for (const at of markerOffsets(sizeBytes)) writeSync(file, DISK_MARKER.repeat(20), at);
  closeSync(file);
}

/** Where the marker still is on a disk image: of `begin`, `middle`, `end`. */
export function remainingMarkers(path: string, sizeBytes: number): string[] {
  const file = openSync(path, 'r');
  try {
    return markerOffsets(sizeBytes).flatMap((at, index) => {
      const block = Buffer.alloc(BLOCK);
      readSync(file, block, 0, BLOCK, at);
      return block.includes(DISK_MARKER) ? [['begin', 'middle', 'end'][index] ?? ''] : [];
    });
  } finally {
    closeSync(file);
  }
}

function markerOffsets(sizeBytes: number): number[] {
  return [0, Math.floor(sizeBytes / 2 / BLOCK) * BLOCK, sizeBytes - BLOCK];
}
