export * from './host-dns.ts';
export { type HostDnsDeps, startHostDns } from './start-host-dns.ts';
export type { DnsDialer } from './upstream/exchange.ts';
