import type { ReconcileContext } from '@bloomery/cosi';
import type { Listen } from '@bloomery/ports';
import type { NodeConfig } from '../config/node-config.ts';
import type { DnsUpstreamSetting, HostDnsSettings } from '../dns/host-dns.ts';
import type { HostEntry } from '../files/hosts-file.ts';
import { RESOLVERS_ID } from '../resolvers/merge-resolvers.ts';
import { resolverSection } from '../resolvers/resolver-section.ts';
import { NodeAddress } from '../resources/addresses.ts';
import { Member } from '../resources/cluster.ts';
import { HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, MachineConfig } from '../resources/machine-config.ts';
import { HostnameStatus, ResolverStatus } from '../resources/names.ts';
import { HOST_DNS_ID } from './host-dns-address.ts';
import { hostNames, memberNames, type NamedMember } from './local-names.ts';
import { staticHosts } from './static-hosts.ts';

/** Everything that the server's settings follow from. */
export interface HostDnsInputs {
  readonly config: NodeConfig | undefined;
  readonly hostDns: HostDnsConfig | undefined;
  readonly servers: readonly string[];
  readonly hostname: HostnameStatus | undefined;
  /** CIDRs of this host, the first one first. */
  readonly addresses: readonly string[];
  readonly members: readonly NamedMember[];
}

/** What controllers of host DNS are woken by; each declares what it uses. */
export function readHostDnsInputs(context: ReconcileContext): Pick<HostDnsInputs, 'config' | 'hostDns' | 'servers'> {
  return {
    config: context.get(MachineConfig, ACTIVE_CONFIG)?.spec,
    hostDns: context.get(HostDnsConfig, HOST_DNS_ID)?.spec,
    servers: context.get(ResolverStatus, RESOLVERS_ID)?.spec.dnsServers ?? [],
  };
}

/** As `readHostDnsInputs`, with the names of this host and of the members of its cluster. */
export function readAllInputs(context: ReconcileContext): HostDnsInputs {
  const members = context.list(Member).filter(({ metadata }) => metadata.phase === 'running');
  return {
    ...readHostDnsInputs(context),
    hostname: context.get(HostnameStatus, 'hostname')?.spec,
    addresses: context.get(NodeAddress, 'default')?.spec.addresses ?? [],
    members: members.map(({ metadata, spec }) => ({
      names: [spec.hostname, metadata.id],
      addresses: spec.addresses,
    })),
  };
}

/** Whom the server asks. How a server is asked is what the configuration says of its address. */
export function dnsUpstreams({
  config,
  servers,
}: Pick<HostDnsInputs, 'config' | 'servers'>): Pick<HostDnsSettings, 'upstreams' | 'domains'> {
  const written = resolverSection(config);
  const upstreams = servers.map(
    (address): DnsUpstreamSetting =>
      written.servers.find((server) => server.address === address) ?? { address, port: 53, protocol: 'Do53' },
  );
  return { upstreams, domains: written.domains };
}

/** Settings of the server: nothing is listened on while it is off. */
export function hostDnsSettings(inputs: HostDnsInputs): HostDnsSettings {
  const { config, hostDns, members } = inputs;
  const isEnabled = hostDns?.enabled === true;
  const isForwarding = (hostDns?.serviceHostDNSAddress ?? '') + (hostDns?.serviceHostDNSAddressV6 ?? '') !== '';
  return {
    listen: isEnabled ? hostDns.listenAddresses.flatMap(parseListen) : [],
    hopLimit: isForwarding ? 2 : 1,
    ...(isEnabled ? dnsUpstreams(inputs) : { upstreams: [], domains: new Map() }),
    staticHosts: hostNames([...staticHosts(config), ...ownEntries(inputs)]),
    members: hostDns?.resolveMemberNames === true ? memberNames(members) : new Map(),
  };
}

function ownEntries({ hostname, addresses }: HostDnsInputs): readonly HostEntry[] {
  if (hostname === undefined || hostname.hostname === '') return [];
  const full = hostname.domainname === '' ? [] : [`${hostname.hostname}.${hostname.domainname}`];
  const names = [...full, hostname.hostname];
  return addresses.map((cidr) => ({ address: cidr.replace(/\/.*$/, ''), names }));
}

/** Read `127.0.0.53:53` or `[::1]:53`; none of other texts. */
export function parseListen(text: string): readonly Listen[] {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text);
  return match === null ? [] : [{ host: match[1] ?? match[2] ?? '', port: Number(match[3]) }];
}
