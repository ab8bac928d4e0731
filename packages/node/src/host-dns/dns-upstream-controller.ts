import type { Controller, WakeSource } from '@bloomery/cosi';
import { hostPort } from '@bloomery/ports';
import type { DnsUpstreamSetting, HostDns } from '../dns/host-dns.ts';
import { RESOLVERS_ID } from '../resolvers/merge-resolvers.ts';
import { DnsUpstream, HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { ResolverStatus } from '../resources/names.ts';
import { HOST_DNS_ID } from './host-dns-address.ts';
import { dnsUpstreams, readHostDnsInputs } from './host-dns-settings.ts';

/** Wakes when listeners or the health of servers change. */
export const onDnsChange = (dns: Pick<HostDns, 'listen'>): WakeSource => ({ listen: (wake) => dns.listen(wake) });

/** Whom host DNS asks, in order, and who answers. Servers of single domains have the domain in front of their id. */
export function dnsUpstreamController(dns: Pick<HostDns, 'status' | 'listen'>): Controller {
  return {
    name: 'network.DNSUpstreamController',
    inputs: [
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: HostDnsConfig, id: HOST_DNS_ID, kind: 'weak' },
      { definition: ResolverStatus, id: RESOLVERS_ID, kind: 'weak' },
    ],
    outputs: [{ definition: DnsUpstream, kind: 'exclusive' }],
    wakes: [onDnsChange(dns)],
    reconcile: (context) => {
      const outputs = context.outputs(DnsUpstream);
      if (context.get(HostDnsConfig, HOST_DNS_ID)?.spec.enabled === true) {
        const { upstreams, domains } = dnsUpstreams(readHostDnsInputs(context));
        const unhealthy = dns.status.upstreams.filter(({ healthy }) => !healthy).map(({ upstream }) => upstream);
        const all = [
          ['', upstreams] as const,
          ...[...domains].map(([name, servers]) => [`${name} `, servers] as const),
        ];
        for (const [prefix, servers] of all) {
          for (const [i, upstream] of servers.entries()) {
            const isHealthy = !unhealthy.some((other) => isSame(other, upstream));
            outputs.put(prefix + upstreamId(upstream, i), specOf(upstream, isHealthy));
          }
        }
      }
      outputs.finish();
    },
  };
}

function specOf({ address, port, protocol, tlsServerName = '' }: DnsUpstreamSetting, isHealthy: boolean): DnsUpstream {
  return {
    healthy: String(isHealthy),
    addr: hostPort({ host: address, port }),
    // As Talos 1.13 has it, which asks in one way only.
    protocol: protocol === 'Do53' ? '' : protocol,
    tlsServerName,
  };
}

/** `#000 1.1.1.1`, `#001 DoT 1.1.1.1`. */
function upstreamId({ address, protocol }: DnsUpstreamSetting, index: number): string {
  return `#${String(index).padStart(3, '0')} ${protocol === 'Do53' ? '' : `${protocol} `}${address}`;
}

function isSame(a: DnsUpstreamSetting, b: DnsUpstreamSetting): boolean {
  return a.address === b.address && a.port === b.port && a.protocol === b.protocol;
}
