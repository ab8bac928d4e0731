import { isIPv4, isIPv6 } from 'node:net';
import { EvaluationFailure } from './evaluation-failure.ts';
import type { Library } from './library.ts';

/** An address as a number of 32 or 128 bits. */
class Ip {
  readonly value: bigint;
  readonly bits: 32 | 128;

  constructor(value: bigint, bits: 32 | 128) {
    this.value = value;
    this.bits = bits;
  }

  /** The one text that kube takes for canonical. */
  toString(): string {
    if (this.bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((this.value >> shift) & 255n)).join('.');
    const groups = Array.from({ length: 8 }, (_, i) => ((this.value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16));
    return compressed(groups);
  }

  within(prefix: bigint, length: number): boolean {
    const shift = BigInt(this.bits - length);
    return this.value >> shift === prefix >> shift;
  }
}

class Cidr {
  readonly ip: Ip;
  readonly length: number;

  constructor(ip: Ip, length: number) {
    this.ip = ip;
    this.length = length;
  }

  contains(other: Ip): boolean {
    return other.bits === this.ip.bits && other.within(this.ip.value, this.length);
  }

  masked(): Cidr {
    const shift = BigInt(this.ip.bits - this.length);
    return new Cidr(new Ip((this.ip.value >> shift) << shift, this.ip.bits), this.length);
  }
}

class IpNamespace {}

/** Kubernetes' `ip`, `isIP`, `cidr` and `isCIDR`. */
export const addressLibrary: Library = (define, env) => {
  env.registerType('net.IP', Ip);
  env.registerType('net.CIDR', Cidr);
  env.registerType('IpNamespace', IpNamespace);
  env.registerConstant('ip', 'IpNamespace', new IpNamespace());
  env.registerOperator('net.IP == net.IP', (a: Ip, b: Ip) => a.value === b.value && a.bits === b.bits);
  env.registerOperator('net.CIDR == net.CIDR', (a: Cidr, b: Cidr) => cidrText(a) === cidrText(b));
  define('isIP(string): bool', (text: string) => parseIp(text) !== undefined);
  define('ip(string): net.IP', ipOf);
  define('IpNamespace.isCanonical(string): bool', (_: unknown, text: string) => ipOf(text).toString() === text);
  define('k_string(net.IP): string', (ip: Ip) => ip.toString());
  define('net.IP.family(): int', (ip: Ip) => (ip.bits === 32 ? 4n : 6n));
  define('net.IP.isUnspecified(): bool', (ip: Ip) => ip.value === 0n);
  define('net.IP.isLoopback(): bool', isLoopback);
  define('net.IP.isLinkLocalMulticast(): bool', (ip: Ip) => inRange(ip, '224.0.0.0/24', 'ff02::/16'));
  define('net.IP.isLinkLocalUnicast(): bool', (ip: Ip) => inRange(ip, '169.254.0.0/16', 'fe80::/10'));
  define('net.IP.isGlobalUnicast(): bool', (ip: Ip) => {
    const special = ip.value === 0n || isLoopback(ip) || (ip.bits === 32 && ip.value === 0xffffffffn);
    return !special && !inRange(ip, '224.0.0.0/4', 'ff00::/8') && !inRange(ip, '169.254.0.0/16', 'fe80::/10');
  });
  define('isCIDR(string): bool', (text: string) => parseCidr(text) !== undefined);
  define('cidr(string): net.CIDR', cidrOf);
  define('k_string(net.CIDR): string', cidrText);
  define('net.CIDR.ip(): net.IP', (cidr: Cidr) => cidr.ip);
  define('net.CIDR.prefixLength(): int', (cidr: Cidr) => BigInt(cidr.length));
  define('net.CIDR.masked(): net.CIDR', (cidr: Cidr) => cidr.masked());
  define('net.CIDR.containsIP(string): bool', (cidr: Cidr, ip: string) => cidr.contains(ipOf(ip)));
  define('net.CIDR.containsIP(net.IP): bool', (cidr: Cidr, ip: Ip) => cidr.contains(ip));
  define('net.CIDR.containsCIDR(string): bool', (cidr: Cidr, other: string) => containsCidr(cidr, cidrOf(other)));
  define('net.CIDR.containsCIDR(net.CIDR): bool', containsCidr);
};

function containsCidr(cidr: Cidr, other: Cidr): boolean {
  return other.length >= cidr.length && cidr.contains(other.ip);
}

function isLoopback(ip: Ip): boolean {
  return inRange(ip, '127.0.0.0/8', '::1/128');
}

function inRange(ip: Ip, v4: string, v6: string): boolean {
  return cidrOf(ip.bits === 32 ? v4 : v6).contains(ip);
}

function cidrText({ ip, length }: Cidr): string {
  return `${ip}/${length}`;
}

function ipOf(text: string): Ip {
  const ip = parseIp(text);
  if (ip !== undefined) return ip;
  throw new EvaluationFailure(
    `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
  );
}

function cidrOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr !== undefined) return cidr;
  throw new EvaluationFailure(
    `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)})`,
  );
}

function parseIp(text: string): Ip | undefined {
  if (isIPv4(text)) return new Ip(v4Value(text), 32);
  // IPv4 addresses in IPv6 form are refused, as kube does.
  if (!isIPv6(text) || text.includes('%') || text.includes('.')) return undefined;
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = Array.from({ length: tail === undefined ? 0 : 8 - left.length - right.length }, () => '0');
  const value = [...left, ...middle, ...right].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
  return value >> 32n === 0xffffn ? undefined : new Ip(value, 128);
}

function v4Value(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseCidr(text: string): Cidr | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const ip = parseIp(address);
  return ip === undefined || bits === '' || Number(bits) > ip.bits ? undefined : new Cidr(ip, Number(bits));
}

/** The longest run of two or more zero groups becomes `::`. */
function compressed(groups: readonly string[]): string {
  let best = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at++) {
    let end = at;
    while (groups[end] === '0') end += 1;
    if (end - at > best.length) best = { at, length: end - at };
  }
  if (best.at < 0) return groups.join(':');
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`;
}
