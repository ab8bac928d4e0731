import { BloomeryError, type BoundAddress } from '@bloomery/ports';
import { parseIpv4, parseIpv6 } from '@bloomery/wire';

/** A proxy in front of a server. */
export interface ApiProxy {
  /** How it is spoken to: CONNECT in plain text, CONNECT over TLS, or SOCKS 5. */
  readonly kind: 'http' | 'https' | 'socks5';
  readonly address: BoundAddress;
  /** Both empty: none. Never logged. */
  readonly username: string;
  readonly password: string;
}

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORTS = { http: 80, https: 443, socks5: 1080 } as const;
const KINDS: ReadonlyMap<string, ApiProxy['kind']> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['socks5', 'socks5'],
  ['socks5h', 'socks5'],
]);
/** Entries of NO_PROXY that are looked at. */
const EXCEPTIONS_MAX = 1_000;

/** `grpc`: HTTPS_PROXY whether TLS is spoken or not, as programs in Go do for gRPC. `web`: each kind has its own variable. */
export type ProxyRules = 'grpc' | 'web';

/**
 * The proxy that the environment wants for a connection, by the rules of Go's programs: HTTPS_PROXY (of gRPC, whether the API speaks
 * TLS or not), then (of gRPC beyond upstream) HTTP_PROXY where it does not, then ALL_PROXY; never for loopback and what NO_PROXY names.
 *
 * @throws BloomeryError BLM_LINK_UNREACHABLE when the variable holds no usable address.
 * @see golang.org/x/net/http/httpproxy
 */
export function proxyFor(
  target: BoundAddress,
  isTls: boolean,
  environment: Environment,
  rules: ProxyRules = 'grpc',
): ApiProxy | undefined {
  const of = (name: string): string => environment[name] || environment[name.toLowerCase()] || '';
  const secure = isTls || rules === 'grpc' ? ['HTTPS_PROXY'] : [];
  const found = [...secure, ...(isTls ? [] : ['HTTP_PROXY']), 'ALL_PROXY'].find((name) => of(name) !== '');
  if (found === undefined || isDirect(target, of('NO_PROXY'))) return undefined;
  return parseProxy(of(found), found);
}

function parseProxy(text: string, variable: string): ApiProxy {
  const withScheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\//.test(text) ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  const kind = KINDS.get(url?.protocol.slice(0, -1) ?? '');
  if (url === undefined || kind === undefined || url.hostname === '') {
    const why = url === undefined ? 'is no URL' : `has the scheme ${url.protocol.slice(0, -1)}`;
    throw new BloomeryError(
      'BLM_LINK_UNREACHABLE',
      `connecting through the proxy of ${variable}: it ${why}; use http://, https:// or socks5://HOST:PORT`,
    );
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    kind,
    address: { host, port: url.port === '' ? DEFAULT_PORTS[kind] : Number(url.port) },
    username: decoded(url.username),
    password: decoded(url.password),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isDirect(target: BoundAddress, exceptions: string): boolean {
  const host = target.host.toLowerCase().replace(/\.$/, '');
  if (host === 'localhost' || isLoopback(host)) return true;
  const entries = exceptions.split(',', EXCEPTIONS_MAX).map((entry) => entry.trim().toLowerCase());
  return entries.some((entry) => entry === '*' || matches(entry, host, target.port));
}

function isLoopback(host: string): boolean {
  const ipv6 = parseIpv6(host);
  return parseIpv4(host)?.[0] === 127 || ipv6?.every((byte, i) => byte === (i === 15 ? 1 : 0)) === true;
}

function matches(entry: string, host: string, port: number): boolean {
  if (entry === '') return false;
  const [network = '', length] = entry.split('/', 2);
  if (length !== undefined) return isWithin(host, network, Number(length));
  const found = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(entry);
  const name = found?.[1] ?? found?.[2] ?? entry;
  if (found?.[3] !== undefined && Number(found[3]) !== port) return false;
  const bytes = addressBytes(name);
  if (bytes !== undefined) return isSame(host, bytes);
  const domain = name.startsWith('*.') ? name.slice(1) : name;
  return domain.startsWith('.') ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

function addressBytes(text: string): Uint8Array | undefined {
  return parseIpv4(text) ?? parseIpv6(text);
}

function isSame(host: string, bytes: Uint8Array): boolean {
  return isPrefix(addressBytes(host), bytes, bytes.length * 8);
}

function isWithin(host: string, network: string, bits: number): boolean {
  const bytes = addressBytes(network);
  return bytes !== undefined && Number.isInteger(bits) && isPrefix(addressBytes(host), bytes, bits);
}

function isPrefix(address: Uint8Array | undefined, network: Uint8Array, bits: number): boolean {
  if (address === undefined || address.length !== network.length || bits < 0 || bits > network.length * 8) return false;
  return network.every((byte, i) => {
    const mask = 0xff00 >> Math.min(8, Math.max(0, bits - i * 8));
    return ((byte ^ (address[i] ?? 0)) & mask & 0xff) === 0;
  });
}
