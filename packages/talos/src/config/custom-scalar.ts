import { isIP } from 'node:net';
import { goInteger } from '../yaml/go-scalars.ts';
import { entriesOf, field, isYamlList, isYamlMap, PlainScalar, scalarString, type YamlTree } from '../yaml/index.ts';
import { formatByteSize, parseByteSize } from './byte-size.ts';
import { parseGoUrl } from './go-url.ts';

/**
 * A custom scalar in the form in which Talos writes it again, or why it is none. undefined stands for the zero value;
 * `isZero` says that a word is it.
 */
export type CustomReading =
  | { readonly value: YamlTree | undefined; readonly isZero?: boolean }
  | { readonly problem: string };

const MAX_PORT = 65_535n;

const ENUMS: { readonly [name: string]: readonly string[] } = {
  'block.EncryptionProviderType': ['none', 'luks2'],
  'block.FilesystemType': ['none', 'xfs', 'vfat', 'ext4', 'iso9660', 'swap', 'virtiofs'],
  'block.VolumeType': ['partition', 'disk', 'tmpfs', 'directory', 'symlink', 'overlay', 'external'],
  'nethelpers.ADLACPActive': ['on', 'off'],
  'nethelpers.ADSelect': ['stable', 'bandwidth', 'count'],
  'nethelpers.ARPAllTargets': ['any', 'all'],
  'nethelpers.ARPValidate': ['none', 'active', 'backup', 'all', 'filter', 'filter-active', 'filter-backup'],
  'nethelpers.AutoHostnameKind': ['off', 'talos-addr', 'stable'],
  'nethelpers.BondMode': [
    'balance-rr',
    'active-backup',
    'balance-xor',
    'broadcast',
    '802.3ad',
    'balance-tlb',
    'balance-alb',
  ],
  'nethelpers.BondXmitHashPolicy': ['layer2', 'layer3+4', 'layer2+3', 'encap2+3', 'encap3+4'],
  'nethelpers.ClientIdentifier': ['none', 'mac', 'duid'],
  'nethelpers.DefaultAction': ['accept', 'block'],
  'nethelpers.FailOverMAC': ['none', 'active', 'follow'],
  'nethelpers.LACPRate': ['slow', 'fast'],
  'nethelpers.PrimaryReselect': ['always', 'better', 'failure'],
  'nethelpers.Protocol': ['icmp', 'tcp', 'udp', 'icmpv6'],
  'nethelpers.RoutingRuleAction': ['unspec', 'unicast', 'blackhole', 'unreachable', 'prohibit'],
  'nethelpers.VLANProtocol': ['802.1q', '802.1ad'],
  'nethelpers.WOLMode': ['phy', 'unicast', 'multicast', 'broadcast', 'magic', 'magicsecure', 'filter'],
};

/** Words that are zero values: they never take the place of another one in a merge, and stand where nothing was given. */
const ZERO_WORDS: { readonly [name: string]: string } = {
  'block.EncryptionProviderType': 'none',
  'block.FilesystemType': 'none',
  'nethelpers.DefaultAction': 'accept',
  'nethelpers.Protocol': 'Protocol(0)',
  'nethelpers.RoutingRuleAction': 'unspec',
  'nethelpers.RoutingTable': 'unspec',
};

/** What Talos writes for the zero value of a custom scalar. */
export const zeroText = (name: string): string => ZERO_WORDS[name] ?? '';

const good = (value: YamlTree | undefined): CustomReading => ({ value });
const bad = (problem: string): CustomReading => ({ problem });

/** Read the custom scalar `name` (without `custom:`). Unknown names are taken as they are. */
export function readCustomScalar(name: string, tree: YamlTree): CustomReading {
  const words = ENUMS[name];
  if (words !== undefined) return readWord(name, words, tree);
  switch (name) {
    case 'x509.PEMEncodedCertificate':
      return readPem(['crt'], tree);
    case 'x509.PEMEncodedKey':
      return readPem(['key'], tree);
    case 'x509.PEMEncodedCertificateAndKey':
      return readPem(['crt', 'key'], tree);
    case 'v1alpha1.ArgValue':
      return readArgument(tree);
    case 'v1alpha1.FileMode':
      return readFileMode(tree);
    case 'network.PortRange':
      return readPortRange(tree);
    case 'nethelpers.RoutingTable':
      return readRoutingTable(tree);
    default:
      return readText(name, tree);
  }
}

function readText(name: string, tree: YamlTree): CustomReading {
  const text = scalarString(tree);
  if (text === undefined) return bad('expected a scalar');
  if (text === '') return good(undefined);
  switch (name) {
    case 'v1alpha1.DiskSize':
      return readDiskSize(text);
    case 'network.Prefix':
    case 'netip.Prefix':
      return readPrefix(text);
    case 'network.Addr':
    case 'netip.Addr':
      return isIP(text) === 0 ? bad('not an IP address') : good(canonicalAddress(text));
    case 'nethelpers.HardwareAddr':
      return readHardwareAddress(text);
    case 'v1alpha1.Base64Bytes':
      return isBase64(text) ? good(text) : bad('not base64');
    case 'v1alpha1.Endpoint':
    case 'meta.URL':
      return 'problem' in parseGoUrl(text) ? bad('not a URL') : good(writtenUrl(text));
    default:
      return good(tree instanceof PlainScalar ? tree.text : text);
  }
}

/** A URL as Go writes it: the scheme in lower case, and no slashes without a host or path behind them. */
function writtenUrl(text: string): string {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*:)(\/\/(?=$|[?#]))?/.exec(text);
  return scheme === null ? text : `${scheme[1]?.toLowerCase() ?? ''}${text.slice(scheme[0].length)}`;
}

function readWord(name: string, words: readonly string[], tree: YamlTree): CustomReading {
  const text = scalarString(tree)?.toLowerCase();
  if (text === undefined) return bad('expected a word');
  if (name === 'nethelpers.FailOverMAC') {
    const old = text === '' ? 'none' : /^\d$/.test(text) ? words[Number(text)] : undefined;
    if (old !== undefined) return good(old);
  }
  if (!words.includes(text)) return bad(`not one of ${words.join(', ')}`);
  return { value: text, isZero: text === ZERO_WORDS[name] };
}

const RESERVED_TABLES = ['unspec', 'default', 'main', 'local'];

function readRoutingTable(tree: YamlTree): CustomReading {
  const text = scalarString(tree)?.toLowerCase() ?? '';
  const isNumber = /^[1-9]\d{0,2}$/.test(text) && Number(text) <= 252;
  if (!isNumber && !RESERVED_TABLES.includes(text)) return bad('not a routing table');
  return { value: text, isZero: text === 'unspec' };
}

function readPem(keys: readonly string[], tree: YamlTree): CustomReading {
  if (!isYamlMap(tree)) return bad(`expected ${keys.join(' and ')}`);
  const unknown = entriesOf(tree).find(([key]) => !keys.includes(key));
  if (unknown !== undefined) return bad(`unknown key ${unknown[0].slice(0, 60)}`);
  const values: [string, string][] = [];
  for (const key of keys) {
    const text = scalarString(field(tree, key)) ?? '';
    if (!isBase64(text)) return bad(`${key} is not base64`);
    values.push([key, text]);
  }
  return good(Object.fromEntries(values));
}

function readArgument(tree: YamlTree): CustomReading {
  if (!isYamlList(tree)) {
    const text = scalarString(tree);
    return text === undefined ? bad('expected a string or a list of strings') : good(text === '' ? null : text);
  }
  const texts = tree.map((item) => (typeof item === 'string' ? item : undefined));
  return texts.includes(undefined) ? bad('expected a list of strings') : good(tree);
}

function readFileMode(tree: YamlTree): CustomReading {
  const value =
    typeof tree === 'number'
      ? BigInt(Math.trunc(tree))
      : tree instanceof PlainScalar
        ? goInteger(tree.text)
        : undefined;
  if (value === undefined || value < 0n || value > 0xffff_ffffn) return bad('expected a number');
  return good(Number(value));
}

function readPortRange(tree: YamlTree): CustomReading {
  if (typeof tree === 'number') return inPortRange(BigInt(Math.trunc(tree))) ? good(tree) : bad('not a port');
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(
    typeof tree === 'string' || tree instanceof PlainScalar ? (scalarString(tree) ?? '') : '',
  );
  if (match === null) return bad('not a port or a range of ports');
  const [low, high] = [BigInt(match[1] ?? ''), BigInt(match[2] ?? '')];
  if (!inPortRange(low) || !inPortRange(high)) return bad('not a range of ports');
  return good(low === high ? Number(low) : `${low}-${high}`);
}

const inPortRange = (port: bigint): boolean => port >= 0n && port <= MAX_PORT;

function readDiskSize(text: string): CustomReading {
  const size = parseByteSize(text);
  if (size === undefined) return bad('not a size');
  if (size === 0n) return good(undefined);
  const written = formatByteSize(size);
  return good(typeof written === 'bigint' && written <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(written) : written);
}

function readPrefix(text: string): CustomReading {
  const slash = text.lastIndexOf('/');
  const address = text.slice(0, slash);
  const bits = text.slice(slash + 1);
  const family = slash < 0 ? 0 : isIP(address);
  if (
    family === 0 ||
    address.includes('%') ||
    !/^(0|[1-9]\d{0,2})$/.test(bits) ||
    Number(bits) > (family === 4 ? 32 : 128)
  ) {
    return bad('not a prefix');
  }
  return good(`${canonicalAddress(address)}/${bits}`);
}

/** RFC 5952 text of an address that `isIP` takes. */
function canonicalAddress(address: string): string {
  if (isIP(address) === 4) return address;
  const [bare = '', zone] = address.split('%');
  const host = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  return zone === undefined ? host : `${host}%${zone}`;
}

function readHardwareAddress(text: string): CustomReading {
  const digits = text.toLowerCase().replaceAll(':', '');
  if (digits.length % 2 !== 0 || digits.length > 1000 || !/^[0-9a-f]*$/.test(digits))
    return bad('not a hardware address');
  return good(digits.replaceAll(/(..)(?=.)/g, '$1:'));
}

const MAX_BASE64 = 4 << 20;
const isBase64 = (text: string): boolean =>
  text.length <= MAX_BASE64 &&
  text.replace(/[\r\n]/g, '').length % 4 === 0 &&
  /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/.test(text);
