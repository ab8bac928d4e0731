/** An address lease as the DHCP client's script writes it: one `name=value` per line. */
export interface Lease {
  readonly address: string;
  readonly prefixLength: number;
  readonly routes: readonly Route[];
  /** Bytes, option 26. */
  readonly mtu?: number;
  /** Option 12. */
  readonly hostname?: string;
  readonly domain?: string;
  readonly nameServers: readonly string[];
}

/** An IPv4 route; without a gateway the destination is on the link. */
export interface Route {
  /** CIDR */
  readonly destination: string;
  readonly gateway?: string;
}

const MAX_ROUTES = 64;
const MAX_NAME_SERVERS = 3;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const CIDR = /^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/;
const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;

/** Read a lease; undefined when the client got none. Classless static routes (121) replace routers (3). */
export function parseLease(text: string): Lease | undefined {
  const values = new Map<string, string>();
  for (const line of text.slice(0, 65_536).split('\n')) {
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1).trim());
  }
  const address = values.get('ip') ?? '';
  const prefixLength = Number(values.get('mask') ?? '');
  if (values.get('event') === 'leasefail' || !IPV4.test(address)) return undefined;
  const mtu = Number(values.get('mtu') ?? '');
  const hostname = values.get('hostname') ?? '';
  const domain = values.get('domain') ?? '';
  return {
    address,
    prefixLength: Number.isInteger(prefixLength) && prefixLength > 0 && prefixLength <= 32 ? prefixLength : 24,
    routes: parseRoutes(values.get('staticroutes'), values.get('router')),
    nameServers: words(values.get('dns'))
      .filter((word) => IPV4.test(word))
      .slice(0, MAX_NAME_SERVERS),
    ...(Number.isInteger(mtu) && mtu >= 576 && mtu <= 65_535 ? { mtu } : {}),
    ...(HOST_NAME.test(hostname) ? { hostname } : {}),
    ...(HOST_NAME.test(domain) ? { domain } : {}),
  };
}

/** `staticroutes` is a flat list of destination and gateway; gateway 0.0.0.0 means on the link. */
function parseRoutes(staticRoutes: string | undefined, router: string | undefined): Route[] {
  const listed = words(staticRoutes);
  const routes: Route[] = [];
  for (let at = 0; at + 1 < listed.length && routes.length < MAX_ROUTES; at += 2) {
    const destination = listed[at] ?? '';
    const gateway = listed[at + 1] ?? '';
    if (!CIDR.test(destination) || !IPV4.test(gateway)) continue;
    routes.push(gateway === '0.0.0.0' ? { destination } : { destination, gateway });
  }
  if (routes.length > 0) return routes;
  return words(router)
    .filter((word) => IPV4.test(word))
    .slice(0, 1)
    .map((gateway) => ({ destination: '0.0.0.0/0', gateway }));
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
