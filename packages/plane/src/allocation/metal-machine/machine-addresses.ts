import { BlockList, isIP } from 'node:net';

/** One address of a machine, as Cluster API has them. */
export interface MachineAddress {
  readonly type: 'InternalIP' | 'Hostname';
  readonly address: string;
}

const subnets = (family: 'ipv4' | 'ipv6', ...cidrs: string[]): BlockList => {
  const list = new BlockList();
  for (const cidr of cidrs) list.addSubnet(cidr.split('/')[0] ?? '', Number(cidr.split('/')[1]), family);
  return list;
};

const PRIVATE = subnets('ipv4', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16');
/** Carrier-grade NAT and overlays, this host, and the like: others seldom get there. */
const ODD = subnets('ipv4', '100.64.0.0/10', '127.0.0.0/8', '0.0.0.0/8');
const GLOBAL = subnets('ipv6', '2000::/3');

/**
 * The addresses of a MetalMachine: those that can be reached from most places first, in the order of the machine otherwise, then
 * its host name. Whoever takes the first one, as the control plane provider does, then takes one that it can reach: public
 * IPv4, then private IPv4 and global IPv6, then the rest (unique local IPv6, carrier-grade NAT).
 *
 * @see github.com/siderolabs/sidero issue 1368
 */
export function machineAddresses(
  addresses: readonly string[],
  hostname: string | undefined,
): readonly MachineAddress[] {
  const ranked = addresses.toSorted((a, b) => reach(a) - reach(b));
  return [
    ...ranked.map((address): MachineAddress => ({ type: 'InternalIP', address })),
    ...(hostname === undefined || hostname === '' ? [] : [{ type: 'Hostname' as const, address: hostname }]),
  ];
}

function reach(address: string): number {
  if (isIP(address) !== 4) return isIP(address) === 6 && GLOBAL.check(address, 'ipv6') ? 1 : 2;
  if (ODD.check(address)) return 2;
  return PRIVATE.check(address) ? 1 : 0;
}
