import { type Device, parseUnsigned } from './device.ts';
import { type NamingScheme, SCHEME } from './naming-scheme.ts';

/** ARPHRD numbers of interfaces that get names. */
const PREFIXES: ReadonlyMap<number, string> = new Map([
  [1, 'en'],
  [32, 'ib'],
  [256, 'sl'],
]);
const MCTP = 290;
const RADIO_PREFIXES: ReadonlyMap<string, string> = new Map([
  ['wlan', 'wl'],
  ['wwan', 'ww'],
]);

/** `en`, `wl`, `ww`, `ib`, `sl` or `mc`; undefined: interfaces of this kind, and those that stand on another one, have no names. */
export function prefixOf(net: Device, scheme: NamingScheme): string | undefined {
  const index = /^IFINDEX=([0-9]+)$/m.exec(net.attribute('uevent') ?? '')?.[1] ?? net.attribute('ifindex');
  const lower = net.attribute('iflink');
  if (index === undefined || lower === undefined || Number(index) !== Number(lower)) return undefined;
  const type = Number(net.attribute('type'));
  if (type === MCTP) return scheme >= SCHEME.mctp ? 'mc' : undefined;
  const prefix = PREFIXES.get(type);
  return prefix === 'en' ? (RADIO_PREFIXES.get(net.type) ?? prefix) : prefix;
}

/** `x525400123456`, from a hardware address that is burnt in. InfiniBand addresses change. */
export function macName(net: Device, prefix: string): string | undefined {
  if (prefix === 'ib' || parseUnsigned(net.attribute('addr_assign_type')) !== 0) return undefined;
  const address = net.attribute('address')?.toLowerCase() ?? '';
  if (!/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/.test(address)) return undefined;
  return `x${address.replace(/[:-]/g, '')}`;
}

/** Which of the ports of a device: `np0`, `d1`, `r3` or nothing. undefined: it cannot be told, so there is no name at all. */
export function portPart(net: Device, scheme: NamingScheme): string | undefined {
  const name = net.attribute('phys_port_name') ?? '';
  const representor = scheme >= SCHEME.representors ? /^pf[0-9]+vf([0-9]+)/.exec(name)?.[1] : undefined;
  if (representor !== undefined) return `r${Number(representor)}`;
  if (name !== '') return `n${name}`;
  const port = parseUnsigned(net.attribute('dev_port'));
  return port === undefined ? undefined : port > 0 ? `d${port}` : '';
}
