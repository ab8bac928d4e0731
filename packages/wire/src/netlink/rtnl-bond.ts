import { isIP } from 'node:net';
import type { NetlinkBytes } from './netlink-bytes.ts';
import type { NetlinkWriter } from './netlink-writer.ts';

/** Settings of a bond: the kernel's numbers under the names that Talos gives them. Targets are addresses, `primary` is an index. */
export type RtnlBond = Readonly<Record<string, number | readonly string[]>>;

type Width = 'u8' | 'u16' | 'u32' | 'ips';

/** IFLA_BOND_* by name, in the order the kernel has to be told: the mode first, then what only some modes allow. */
const SETTINGS: readonly (readonly [name: string, type: number, width: Width])[] = [
  ['mode', 1, 'u8'],
  ['miimon', 3, 'u32'],
  ['updelay', 4, 'u32'],
  ['downdelay', 5, 'u32'],
  ['useCarrier', 6, 'u8'],
  ['arpInterval', 7, 'u32'],
  ['arpIpTargets', 8, 'ips'],
  ['arpValidate', 9, 'u32'],
  ['arpAllTargets', 10, 'u32'],
  ['primary', 11, 'u32'],
  ['primaryReselect', 12, 'u8'],
  ['failOverMac', 13, 'u8'],
  ['xmitHashPolicy', 14, 'u8'],
  ['resendIgmp', 15, 'u32'],
  ['numPeerNotif', 16, 'u8'],
  ['allSlavesActive', 17, 'u8'],
  ['minLinks', 18, 'u32'],
  ['lpInterval', 19, 'u32'],
  ['packetsPerSlave', 20, 'u32'],
  ['lacpRate', 21, 'u8'],
  ['adSelect', 22, 'u8'],
  ['adActorSysPrio', 24, 'u16'],
  ['adUserPortKey', 25, 'u16'],
  ['tlbLogicalLb', 27, 'u8'],
  ['peerNotifyDelay', 28, 'u32'],
  ['adLacpActive', 29, 'u8'],
  ['missedMax', 30, 'u8'],
  ['nsIp6Targets', 31, 'ips'],
];
const BY_TYPE = new Map(SETTINGS.map(([name, type, width]) => [type, { name, width }]));

/** Read IFLA_INFO_DATA of a bond. @throws BloomeryError BLM_WIRE_TRUNCATED, BLM_WIRE_MALFORMED */
export function decodeBond(bytes: NetlinkBytes, from: number, to: number): RtnlBond {
  const bond: Record<string, number | readonly string[]> = {};
  bytes.attributes(from, to, (type, start, end) => {
    const setting = BY_TYPE.get(type);
    if (setting === undefined) return;
    if (setting.width !== 'ips') {
      bond[setting.name] = bytes[setting.width](start, end);
      return;
    }
    const targets: string[] = [];
    bytes.attributes(start, end, (_, at, until) => targets.push(bytes.ip(at, until)));
    bond[setting.name] = targets.filter((target) => target !== '0.0.0.0' && target !== '::');
  });
  return bond;
}

/** Write settings into an open IFLA_INFO_DATA. Names that are not known are left out. */
export function encodeBond(writer: NetlinkWriter, bond: RtnlBond): void {
  for (const [name, type, width] of SETTINGS) {
    const value = bond[name];
    if (typeof value === 'number' && width !== 'ips') writer[width](type, value);
    else if (Array.isArray(value) && width === 'ips')
      writer.nested(type, (inside) => {
        for (const [index, target] of value.entries()) if (isIP(target) !== 0) inside.ip(index, target);
      });
  }
}
