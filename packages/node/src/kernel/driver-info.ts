import { loadLibC } from './libc.ts';

/** What a driver says of itself; texts are empty where it says nothing. */
export interface DriverInfo {
  readonly driver: string;
  readonly version: string;
  readonly firmwareVersion: string;
  readonly busInfo: string;
}

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SIOCETHTOOL = 0x8946;
const ETHTOOL_GDRVINFO = 3;
/** struct ethtool_drvinfo: command, then texts of 32 bytes, reserved ones and five numbers. */
const SIZE = 196;
const TEXT = 32;
/** struct ifreq: a name of 16 bytes and a union of 24. */
const IFREQ = 40;

/** Ask a link's driver, by the ioctl of ethtool: its netlink does not tell. @returns undefined where that is not possible. */
export async function readDriverInfo(name: string): Promise<DriverInfo | undefined> {
  const libc = await loadLibC();
  if (libc === undefined || Buffer.byteLength(name) > 15) return undefined;
  const { default: koffi } = await import('koffi');
  const info = Buffer.alloc(SIZE);
  info.writeUInt32LE(ETHTOOL_GDRVINFO, 0);
  const request = Buffer.alloc(IFREQ);
  request.write(name, 0);
  request.writeBigUInt64LE(BigInt(koffi.address(info)), 16);
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return undefined;
  try {
    if (libc.ioctl(fd, SIOCETHTOOL, request) !== 0) return undefined;
  } finally {
    libc.close(fd);
  }
  return {
    driver: textAt(info, 0),
    version: textAt(info, 1),
    firmwareVersion: textAt(info, 2),
    busInfo: textAt(info, 3),
  };
}

function textAt(info: Buffer, index: number): string {
  const start = 4 + index * TEXT;
  const text = info.subarray(start, start + TEXT);
  const end = text.indexOf(0);
  return text.toString('utf8', 0, end < 0 ? TEXT : end);
}
