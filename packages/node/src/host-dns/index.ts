import type { Controller } from '@bloomery/cosi';
import type { HostDns } from '../dns/host-dns.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { dnsCacheController } from './dns-cache-controller.ts';
import { dnsResolveCacheController } from './dns-resolve-cache-controller.ts';
import { dnsUpstreamController } from './dns-upstream-controller.ts';
import { hostDnsConfigController } from './host-dns-config-controller.ts';

export interface HostDnsParts {
  /** Called after each pass in which the server was told what the configuration says of it. */
  readonly onConfigured?: () => void;
}

/** Host DNS from the configuration to the server, which they drive. */
export function hostDnsControllers(
  environment: Pick<NodeEnvironment, 'settings'>,
  dns: Pick<HostDns, 'configure' | 'status' | 'listen'>,
  { onConfigured = () => {} }: HostDnsParts = {},
): readonly Controller[] {
  return [
    hostDnsConfigController(environment),
    dnsUpstreamController(dns),
    dnsResolveCacheController(environment, dns, onConfigured),
    dnsCacheController(dns),
  ];
}
