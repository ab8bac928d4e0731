/** Of a type that nodes serve: its ids, and what it says. */
export interface ResourceNote {
  readonly ids: string;
  readonly what: string;
}

const note = (ids: string, what: string): ResourceNote => ({ ids, what });
const LATER = 'Empty until the second half of the network daemon';

/** By the first part of the type's name. */
export const RESOURCE_NOTES: Readonly<Record<string, ResourceNote>> = {
  AddressSpecs: note('`LINK/ADDRESS/LENGTH`', 'An address that a link shall have. A higher layer wins'),
  AddressStatuses: note('`LINK/ADDRESS/LENGTH`', 'An address that the kernel has'),
  Affiliates: note('node id', LATER),
  DeviceConfigSpecs: note(
    '`LINK/NNN`, `LINK/NNN/NNN` where a selector matches several',
    'One interface of `machine.network.interfaces`, its selectors resolved',
  ),
  DevicesStatuses: note('`devices`', 'Whether links have their names, so that they can be configured'),
  DiscoveryConfigs: note('`cluster`', LATER),
  DNSCaches: note('`host`', 'Counters of the name server: hits, misses, entries'),
  DNSResolveCaches: note('`udp-ADDRESS:PORT`, `tcp-…`, `udp6-…`, `tcp6-…`', 'A listener of the name server'),
  DNSUpstreams: note(
    '`#NNN ADDRESS`',
    'A name server that questions are forwarded to, in the order in which they are asked',
  ),
  Environments: note('`machined`', 'Variables of the daemon: corporate proxies, with masked passwords'),
  EtcFileSpecs: note('path below `/etc`', 'A file of the host that the daemon writes'),
  EtcFileStatuses: note('path below `/etc`', 'A file of the host as it was written'),
  EthernetSpecs: note('link', 'Settings of a network card from an EthernetConfig document'),
  EthernetStatuses: note('link', 'What ethtool says of a network card'),
  HardwareAddresses: note('`first`', 'The MAC address that stands for the machine'),
  HostDNSConfigs: note('`config`', 'Where the name server listens and what it answers'),
  HostnameSpecs: note('`hostname`', 'The name that the host shall have. A higher layer wins, on one layer the first'),
  HostnameStatuses: note('`hostname`', 'The name of the host'),
  Identities: note('`local`', 'The identity of this node, kept in `DIR/node-identity.yaml`'),
  Infos: note('`current`', LATER),
  KubeSpanConfigs: note('`kubespan`', LATER),
  KubeSpanEndpoints: note('public key', LATER),
  KubeSpanIdentities: note('`local`', LATER),
  KubeSpanPeerSpecs: note('public key', LATER),
  KubeSpanPeerStatuses: note('public key', LATER),
  KubernetesAccessConfigs: note('`config`', LATER),
  LinkAliasSpecs: note('link', 'The alias that a LinkAliasConfig document gives a link'),
  LinkRefreshes: note('`wireguard`', 'Counts changes of WireGuard devices, which the kernel does not tell of'),
  LinkSpecs: note('link', 'A link as it shall be. Layers are merged field by field'),
  LinkStatuses: note('link', 'A link as it is, with what ethtool and sysfs say of it'),
  MachineConfigs: note(
    '`v1alpha1` in force, `persistent` of the next start',
    'The machine configuration, as it was written',
  ),
  MachineTypes: note('`machine-type`', 'The type of the machine'),
  MaintenanceServiceConfigs: note('`config`', 'Empty: machines in maintenance are served by the same API'),
  MaintenanceServiceRequests: note('`request`', 'Empty: machines in maintenance are served by the same API'),
  Members: note('node name', LATER),
  NetworkStatuses: note(
    '`status`',
    'Whether there are an address, a connection (all probes, else a default route), a host name, and the files of the host',
  ),
  NfTablesChains: note('chain', LATER),
  NodeAddressFilters: note('`no-k8s`, `only-k8s`', 'Networks of pods and services, which are left out or looked at'),
  NodeAddressSortAlgorithms: note('`default`', 'Which address comes first'),
  NodeAddresses: note(
    '`default`, `current`, `routed`, `accumulative`; the last three also with `-no-k8s` and `-only-k8s`',
    'Addresses of the node: the one that stands for it, those of links that carry, those without overlays (SideroLink, KubeSpan), all it has had. Loopback, multicast and link-local addresses and the name server’s are left out',
  ),
  OperatorSpecs: note(
    '`dhcp4/LINK`, `dhcp6/LINK`',
    'Something that configures a link with what it learns from the network',
  ),
  PlatformConfigs: note('`active`', 'Empty: the daemon asks no platform'),
  ProbeSpecs: note('`tcp:HOST:PORT`, `http:URL`', 'An endpoint that is asked to see whether there is a connection'),
  ProbeStatuses: note('as ProbeSpec', 'How the probe went last, once it has been answered'),
  ResolverSpecs: note('`resolvers`', 'Name servers and search domains. Layers are merged'),
  ResolverStatuses: note('`resolvers`', 'Name servers and search domains that are in force'),
  RouteSpecs: note(
    '`[TABLE/][LINK/]FAMILY/GATEWAY/DESTINATION/METRIC`; the table unless main, the link for IPv6',
    'A route that there shall be. A higher layer wins',
  ),
  RouteStatuses: note('as RouteSpec', 'A route that the kernel has, of any table'),
  RoutingRuleSpecs: note('`FAMILY/PRIORITY`', 'A routing rule that there shall be'),
  RoutingRuleStatuses: note('`FAMILY/PRIORITY`', 'A routing rule that the kernel has'),
  SiderolinkConfigs: note('`siderolink`', 'The SideroLink API that the node joins'),
  SiderolinkStatuses: note('`siderolink-status`', 'Whether the node is connected to it'),
  SiderolinkTunnels: note('`siderolink-tunnel`', 'The link inside gRPC, where it is used'),
  TimeServerSpecs: note('`timeservers`', 'Time servers. The highest layer that names any wins'),
  TimeServerStatuses: note('`timeservers`', 'Time servers that are in force. The daemon does not set the clock'),
};
