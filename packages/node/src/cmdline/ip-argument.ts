import { type IpAddress, type IpPrefix, parseIp, prefixOf } from '../ip/ip-prefix.ts';

/** What one `ip=` argument asks for. */
export interface IpArgument {
  /** As written; empty: the first link there is. */
  readonly device: string;
  readonly dhcp: boolean;
  readonly address?: IpPrefix;
  readonly gateway?: IpAddress;
  readonly hostname: string;
  readonly dnsServers: readonly IpAddress[];
  readonly timeServers: readonly IpAddress[];
}

/** What an argument asks for, or why it cannot be read. `nothing`: it asks for what happens anyway. */
export type ReadArgument<T> = { readonly value: T } | { readonly problem: string } | 'nothing';

const AUTOCONF_DHCP: ReadonlySet<string> = new Set(['dhcp', 'on', 'any']);

/**
 * Read `ip=CLIENT:SERVER:GATEWAY:NETMASK:HOSTNAME:DEVICE:AUTOCONF:DNS0:DNS1:NTP0`, `ip=DEVICE:dhcp` or `ip=dhcp` (which asks for
 * nothing but what is done anyway). Fields may be empty or missing; IPv6 addresses stand in brackets.
 *
 * @see Documentation/admin-guide/nfs/nfsroot.rst of Linux, dracut.cmdline(7)
 */
export function readIpArgument(text: string): ReadArgument<IpArgument> {
  const fields = splitFields(text);
  const [first = '', second = ''] = fields;
  if (fields.length === 1 && AUTOCONF_DHCP.has(first)) return 'nothing';
  if (fields.length === 2 && second === 'dhcp') {
    return { value: { device: first, dhcp: true, hostname: '', dnsServers: [], timeServers: [] } };
  }
  const wrong: string[] = [];
  const at = (index: number, what: string): IpAddress | undefined => {
    const field = fields[index] ?? '';
    const address = field === '' ? undefined : parseIp(field);
    if (field !== '' && address === undefined) wrong.push(`${what} "${field.slice(0, 64)}" is no IP address`);
    return address;
  };
  const client = at(0, 'client');
  const gateway = at(2, 'gateway');
  const dnsServers = [at(7, 'DNS server'), at(8, 'DNS server')].filter((address) => address !== undefined);
  const timeServers = [at(9, 'time server')].filter((address) => address !== undefined);
  const bits = client === undefined ? 0 : readNetmask(fields[3] ?? '', client);
  if (bits === undefined) wrong.push(`netmask "${(fields[3] ?? '').slice(0, 64)}" is neither a length nor a mask`);
  if (wrong.length > 0) return { problem: wrong.join(', ') };
  return {
    value: {
      device: fields[5] ?? '',
      dhcp: fields[6] === 'dhcp',
      hostname: fields[4] ?? '',
      dnsServers,
      timeServers,
      ...(client === undefined ? {} : { address: prefixOf(client, bits ?? 0) }),
      ...(gateway === undefined ? {} : { gateway }),
    },
  };
}

/** Colons in brackets do not separate; the brackets around a field are left out. */
function splitFields(text: string): readonly string[] {
  const fields: string[] = [];
  let depth = 0;
  let begin = 0;
  for (let i = 0; i <= text.length; i++) {
    const character = text[i] ?? ':';
    if (character === '[') depth += 1;
    else if (character === ']') depth -= 1;
    else if (character === ':' && (depth <= 0 || i === text.length)) {
      fields.push(text.slice(begin, i).replace(/^\[(.*)\]$/, '$1'));
      begin = i + 1;
    }
  }
  return fields;
}

/** Length of the network: a number, a mask such as 255.255.255.0, or the whole address when nothing is said. */
function readNetmask(text: string, { bytes }: IpAddress): number | undefined {
  const width = bytes.length * 8;
  if (text === '') return width;
  if (/^\d{1,3}$/.test(text)) return Number(text) <= width ? Number(text) : undefined;
  const mask = parseIp(text);
  if (mask === undefined || mask.bytes.length !== bytes.length) return undefined;
  const ones = Array.from(mask.bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(ones) ? ones.replace(/0/g, '').length : undefined;
}
