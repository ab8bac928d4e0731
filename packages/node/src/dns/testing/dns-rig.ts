import { randomFillSync } from 'node:crypto';
import { type Clock, silentLog, systemClock } from '@bloomery/ports';
import type { HostDns, HostDnsSettings } from '../host-dns.ts';
import { type HostDnsDeps, startHostDns } from '../start-host-dns.ts';
import { type Script, type ScriptedServer, startScriptedServer } from './scripted-server.ts';

/** A name server of a host with scripted upstreams. */
export interface DnsRig extends AsyncDisposable {
  readonly dns: HostDns;
  readonly port: number;
  readonly upstreams: readonly ScriptedServer[];
  configure(settings: Partial<HostDnsSettings>): Promise<void>;
}

export interface DnsRigOptions extends Partial<HostDnsDeps> {
  readonly clock?: Clock;
  readonly settings?: Partial<HostDnsSettings>;
}

/** Start one, on a free port, with an upstream for each script. */
export async function startDnsRig(scripts: readonly Script[], options: DnsRigOptions = {}): Promise<DnsRig> {
  const upstreams = await Promise.all(scripts.map(startScriptedServer));
  const { settings: first = {}, ...deps } = options;
  const dns = await startHostDns({
    clock: systemClock,
    log: silentLog,
    random: (length) => randomFillSync(new Uint8Array(length)),
    datagrams: 'portable',
    ...deps,
  });
  const settings: HostDnsSettings = {
    listen: [{ host: '127.0.0.1', port: 0 }],
    hopLimit: 1,
    upstreams: upstreams.map(({ port }) => ({ address: '127.0.0.1', port, protocol: 'Do53' })),
    staticHosts: new Map(),
    members: new Map(),
    domains: new Map(),
    ...first,
  };
  await dns.configure(settings);
  const port = dns.status.listeners.find(({ transport }) => transport === 'udp')?.bound?.port ?? 0;
  return {
    dns,
    port,
    upstreams,
    configure: (changes) => dns.configure({ ...settings, ...changes }),
    async [Symbol.asyncDispose]() {
      await dns[Symbol.asyncDispose]();
      await Promise.all(upstreams.map((upstream) => upstream[Symbol.asyncDispose]()));
    },
  };
}

/** Where questions over TCP go. */
export function tcpPortOf({ dns }: DnsRig): number {
  return dns.status.listeners.find(({ transport }) => transport === 'tcp')?.bound?.port ?? 0;
}
