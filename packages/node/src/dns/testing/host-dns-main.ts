/** usage: host-dns-main.ts JSON: the host's name server alone. Prints its status as JSON when it is configured; SIGTERM ends it. */
import { randomFillSync } from 'node:crypto';
import { silentLog, systemClock } from '@bloomery/ports';
import type { DnsUpstreamSetting } from '../host-dns.ts';
import { startHostDns } from '../start-host-dns.ts';

/** Settings as they are on the command line. */
export interface HostDnsArguments {
  readonly datagrams: 'native' | 'portable';
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  readonly hopLimit: number;
  readonly upstreams: readonly DnsUpstreamSetting[];
}

const given: HostDnsArguments = JSON.parse(process.argv[2] ?? '{}');
const dns = await startHostDns({
  clock: systemClock,
  log: silentLog,
  random: (length) => randomFillSync(new Uint8Array(length)),
  datagrams: given.datagrams,
});
await dns.configure({ ...given, staticHosts: new Map(), members: new Map(), domains: new Map() });
process.stdout.write(`${JSON.stringify(dns.status)}\n`);
process.once('SIGTERM', () => void dns[Symbol.asyncDispose]());
