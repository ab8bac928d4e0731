/** Kind of storage, by the names of the agent protocol. */
export type StorageKind = 'Unknown' | 'SSD' | 'HDD' | 'NVMe' | 'SD';

/** One whole disk of this machine. Absent strings are ''. */
export interface Disk {
  /** Kernel name, for example `vda`. */
  readonly name: string;
  /** Device file, for example `/dev/vda`. */
  readonly path: string;
  readonly kind: StorageKind;
  readonly sizeBytes: bigint;
  readonly readOnly: boolean;
  readonly model: string;
  readonly serial: string;
  readonly uuid: string;
  readonly wwid: string;
}

/** What sysfs says about one block device: file contents below `/sys/block/NAME`, undefined for absent files. */
export type BlockAttributes = (file: string) => string | undefined;

/** Block devices that are no disks of the machine: loops, optical drives, memory, network and mapped devices. */
const NO_DISK = /^(sg|sr|loop|md|dm-|ram|zram|nbd|fd|mtdblock)/;
const SECTOR_BYTES = 512n;

/** Describe one block device; undefined when it is no disk of the machine or has no medium. */
export function describeDisk(name: string, attributes: BlockAttributes): Disk | undefined {
  if (NO_DISK.test(name)) return undefined;
  const read = (...files: readonly string[]): string => {
    for (const file of files) {
      const text = attributes(file)?.trim();
      if (text !== undefined && text !== '') return text;
    }
    return '';
  };
  const sectors = read('size');
  const sizeBytes = /^\d{1,18}$/.test(sectors) ? BigInt(sectors) * SECTOR_BYTES : 0n;
  if (sizeBytes === 0n) return undefined;
  return {
    name,
    path: `/dev/${name}`,
    kind: storageKind(name, read('queue/rotational')),
    sizeBytes,
    readOnly: read('ro') === '1',
    model: read('device/model', 'model'),
    serial: read('device/serial', 'serial'),
    uuid: read('device/uuid', 'uuid'),
    wwid: read('device/wwid', 'wwid'),
  };
}

function storageKind(name: string, rotational: string): StorageKind {
  if (name.includes('nvme')) return 'NVMe';
  if (name.includes('mmc')) return 'SD';
  return rotational === '1' ? 'HDD' : rotational === '0' ? 'SSD' : 'Unknown';
}
