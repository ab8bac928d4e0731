import { isIP } from 'node:net';
import { goInteger } from '../yaml/go-scalars.ts';
import { entriesOf, field, isYamlList, isYamlMap, PlainScalar, scalarString, type YamlTree } from '../yaml/index.ts';
import { formatByteSize, parseByteSize } from './byte-size.ts';

/** Reads a custom scalar into the form in which Talos writes it again, or says why not. undefined stands for the zero value. */
export type CustomReading = { readonly value: YamlTree | undefined } | { readonly problem: string };

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

const good = (value: YamlTree | undefined): CustomReading => ({ value });
const bad = (problem: string): CustomReading => ({ problem });

/** Read the custom scalar `name` (without `custom:`). Unknown names are taken as they are. */
export function readCustomScalar(name: string, tree: YamlTree): CustomReading {
  const words = ENUMS[name];
  if (words !== undefined) return readWord(words, tree);
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
      return isUrl(text) ? good(text) : bad('not a URL');
    default:
      return good(tree instanceof PlainScalar ? tree.text : text);
  }
}

function readWord(words: readonly string[], tree: YamlTree): CustomReading {
  const text = tree === true ? 'on' : scalarString(tree)?.toLowerCase();
  if (text === undefined) return bad('expected a word');
  if (text === '') return good(undefined);
  return words.includes(text) ? good(text) : bad(`not one of ${words.join(', ')}`);
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
  const octets = text.toLowerCase().split(/[:-]/);
  if (![6, 8, 20].includes(octets.length) || octets.some((o) => !/^[0-9a-f]{2}$/.test(o)))
    return bad('not a hardware address');
  return good(octets.join(':'));
}

const MAX_BASE64 = 4 << 20;
const isBase64 = (text: string): boolean =>
  text.length <= MAX_BASE64 &&
  text.replace(/[\r\n]/g, '').length % 4 === 0 &&
  /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/.test(text);

/** What Go's url.Parse refuses, roughly: control characters, bad escapes, a colon in the first path segment. */
function isUrl(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are refused
  if (/[\u0000-\u0020\u007f]/.test(text) && !/^[^\u0000-\u001f\u007f]*$/.test(text)) return false;
  if (/%(?![0-9a-fA-F]{2})/.test(text) || text.startsWith(':')) return false;
  const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(text);
  return scheme !== null || !(text.split('/')[0] ?? '').includes(':');
}
