/** Magic numbers of statfs(2), from linux/magic.h, of file systems whose locks or flushes end at another machine. */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
]);

/** The name of a network file system by its statfs type; undefined for a local one, or one that is not known. */
export function networkFileSystem(type: number): string | undefined {
  // Node gives the type as a signed number on some platforms.
  return NETWORK_FILE_SYSTEMS.get(type >>> 0);
}
