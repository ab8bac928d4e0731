/** More are not read: MAXNS of resolv.conf(5). */
const MAX_SERVERS = 3;

/** A resolv.conf as Talos writes it: at most three servers, and the search domains behind an empty line. */
export function renderResolvConf(servers: readonly string[], searchDomains: readonly string[]): string {
  const lines = servers.slice(0, MAX_SERVERS).map((server) => `nameserver ${server}\n`);
  return `${lines.join('')}${searchDomains.length === 0 ? '' : `\nsearch ${searchDomains.join(' ')}\n`}`;
}
