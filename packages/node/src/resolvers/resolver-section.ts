import type { HostDnsSection, NodeConfig } from '../config/node-config.ts';
import { asRecord, asRecords, asText } from '../config/plain-value.ts';
import type { DnsUpstreamSetting } from '../dns/host-dns.ts';
import { serverAddress } from './server-address.ts';

/** What a configuration says of resolving names, in `machine.network`, `machine.features.hostDNS` and ResolverConfig documents. */
export interface ResolverSection {
  readonly servers: readonly DnsUpstreamSetting[];
  readonly searchDomains: readonly string[];
  /** Whether the domain of the host name is not searched. */
  readonly isDefaultSearchOff: boolean;
  readonly hostDns: HostDnsSection;
  /** Domains with servers of their own, in lower case without dots at the ends. An addition of ours. */
  readonly domains: ReadonlyMap<string, readonly DnsUpstreamSetting[]>;
}

const PORTS = { Do53: 53, DoT: 853, DoH: 443 } as const;

/** Read it. Addresses that are none are left out. */
export function resolverSection(config: NodeConfig | undefined): ResolverSection {
  const documents = config?.documents.filter(({ kind }) => kind === 'ResolverConfig').map(({ value }) => value) ?? [];
  const network = config?.machine?.network;
  const search = documents.map((value) => asRecord(value['searchDomains']));
  const legacy = network?.nameservers.map((address) => ({ address })) ?? [];
  return {
    servers: [...legacy, ...documents.flatMap((value) => asRecords(value['nameservers']))].flatMap(upstreamOf),
    searchDomains: [...(network?.searchDomains ?? []), ...search.flatMap((value) => texts(value?.['domains']))],
    isDefaultSearchOff:
      network?.disableSearchDomain === true || search.some((value) => value?.['disableDefault'] === true),
    hostDns: Object.assign({}, config?.machine?.hostDNS, ...documents.map((value) => hostDnsOf(value['hostDNS']))),
    domains: new Map(
      documents
        .flatMap((value) => asRecords(value['domains']))
        .map((domain) => [nameOf(asText(domain['name'])), asRecords(domain['nameservers']).flatMap(upstreamOf)]),
    ),
  };
}

/** A server as Talos writes it: an address, and from 1.14 on how it is asked. */
function upstreamOf(value: Readonly<Record<string, unknown>>): readonly DnsUpstreamSetting[] {
  const address = serverAddress(asText(value['address']));
  if (address === undefined) return [];
  const written = asText(value['protocol']);
  const protocol = written === 'DoT' || written === 'DoH' ? written : 'Do53';
  const tlsServerName = asText(value['tlsServerName']);
  return [{ address, port: PORTS[protocol], protocol, ...(tlsServerName === '' ? {} : { tlsServerName }) }];
}

function hostDnsOf(value: unknown): HostDnsSection {
  const given = asRecord(value);
  const flag = (key: keyof HostDnsSection) => (typeof given?.[key] === 'boolean' ? { [key]: given[key] } : {});
  return { ...flag('enabled'), ...flag('forwardKubeDNSToHost'), ...flag('resolveMemberNames') };
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map(asText).filter((text) => text !== '') : [];

const nameOf = (text: string): string => text.toLowerCase().replace(/^\.+|\.+$/g, '');
