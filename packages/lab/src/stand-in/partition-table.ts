const SECTOR_BYTES = 512;
const TABLE_OFFSET = 446;
const EFI_SYSTEM = 0xef;
const ACTIVE = 0x80;

/** Where the stand-in's only partition begins, in sectors. The boot loader's core lies before it. */
export const PARTITION_START = 2048;

/**
 * Sector 0 of the stand-in's disk: GRUB's boot code and a table with one active EFI system partition.
 * @param bootCode GRUB's boot.img, 512 bytes; bytes from 440 on are not taken.
 */
export function bootSector(bootCode: Uint8Array, partitionSectors: number): Uint8Array {
  const sector = Buffer.alloc(SECTOR_BYTES);
  sector.set(bootCode.subarray(0, 440));
  sector[TABLE_OFFSET] = ACTIVE;
  sector.set([0xfe, 0xff, 0xff], TABLE_OFFSET + 1);
  sector[TABLE_OFFSET + 4] = EFI_SYSTEM;
  sector.set([0xfe, 0xff, 0xff], TABLE_OFFSET + 5);
  sector.writeUInt32LE(PARTITION_START, TABLE_OFFSET + 8);
  sector.writeUInt32LE(partitionSectors, TABLE_OFFSET + 12);
  sector.set([0x55, 0xaa], 510);
  return sector;
}

/** The menu of the installed boot loader: one entry, at once. `commandLine` must not contain quotes. */
export function grubConfig(commandLine: string): string {
  return [
    'set timeout=0',
    'set gfxpayload=text',
    'echo "Talos stand-in (lab program, not Talos Linux): starting from disk"',
    `linux /vmlinuz ${commandLine}`,
    'initrd /initramfs.xz',
    'boot',
    '',
  ].join('\n');
}
