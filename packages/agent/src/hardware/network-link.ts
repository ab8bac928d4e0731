/** One network interface as the kernel reports it. */
export interface NetworkLink {
  readonly index: number;
  readonly name: string;
  /** For example `up|broadcast|multicast`. */
  readonly flags: string;
  readonly mtu: number;
  /** Lower case with colons; '' for links without one. */
  readonly mac: string;
  /** CIDR */
  readonly addresses: readonly string[];
}

/** What sysfs says about one link: file contents below `/sys/class/net/NAME`, undefined for absent files. */
export type LinkAttributes = (file: string) => string | undefined;

const FLAG_NAMES: readonly (readonly [bit: number, name: string])[] = [
  [0x1, 'up'],
  [0x2, 'broadcast'],
  [0x8, 'loopback'],
  [0x10, 'pointtopoint'],
  [0x1000, 'multicast'],
  [0x40, 'running'],
];

/** Describe one link. `addresses` are the CIDRs that it has now. */
export function describeLink(name: string, attributes: LinkAttributes, addresses: readonly string[]): NetworkLink {
  const read = (file: string): string => attributes(file)?.trim() ?? '';
  const bits = Number.parseInt(read('flags'), 16) || 0;
  return {
    index: Number.parseInt(read('ifindex'), 10) || 0,
    name,
    flags: FLAG_NAMES.filter(([bit]) => (bits & bit) !== 0)
      .map(([, flag]) => flag)
      .join('|'),
    mtu: Number.parseInt(read('mtu'), 10) || 0,
    mac: read('address').toLowerCase(),
    addresses,
  };
}
