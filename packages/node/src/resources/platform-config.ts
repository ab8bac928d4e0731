import { defineResource, ip, list, message } from '@bloomery/cosi';
import { AddressSpec } from './addresses.ts';
import { LinkSpec } from './links.ts';
import { HostnameSpec, ResolverSpec, TimeServerSpec } from './names.ts';
import { ProbeSpec } from './network-status.ts';
import { OperatorSpec } from './operators.ts';
import { RouteSpec } from './routes.ts';

/** What a cloud says of the network of a machine. The daemon runs on no cloud: served for clients, and there are none. */
export const PlatformConfig = defineResource({
  type: 'PlatformConfigs.net.talos.dev',
  namespace: 'network',
  spec: {
    addresses: list(1, message(1, AddressSpec.fields)),
    links: list(2, message(1, LinkSpec.fields)),
    routes: list(3, message(1, RouteSpec.fields)),
    hostnames: list(4, message(1, HostnameSpec.fields)),
    resolvers: list(5, message(1, ResolverSpec.fields)),
    timeServers: list(6, message(1, TimeServerSpec.fields)),
    operators: list(7, message(1, OperatorSpec.fields)),
    externalIPs: list(8, ip(1)),
    probes: list(9, message(1, ProbeSpec.fields), { omitEmpty: true }),
  },
});
