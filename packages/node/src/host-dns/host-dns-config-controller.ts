import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { addressId, addressSpec } from '../addresses/configured-addresses.ts';
import type { NodeConfig } from '../config/node-config.ts';
import { parseAddressOrPrefix } from '../ip/ip-prefix.ts';
import { layeredId } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { resolverSection } from '../resolvers/resolver-section.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { HostDnsConfig } from '../resources/host-dns.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { HOST_DNS_ID, LOCAL_ADDRESS, SERVICE_ADDRESS, SERVICE_ADDRESS_V6 } from './host-dns-address.ts';

/** What host DNS is to do. Without `manageAll` it is on only when the configuration says so. */
export function planHostDns(config: NodeConfig | undefined, manageAll: boolean): HostDnsConfig {
  const { enabled, forwardKubeDNSToHost, resolveMemberNames } = resolverSection(config).hostDns;
  // A machine that is not configured yet resolves the names that it needs for that.
  const isEnabled = enabled ?? (manageAll && config?.machine === undefined);
  const isForwarding = isEnabled && forwardKubeDNSToHost === true;
  const subnets = config?.cluster?.podSubnets ?? [];
  const hasV6 = subnets.some((subnet) => subnet.includes(':'));
  const hasV4 = !hasV6 || subnets.some((subnet) => !subnet.includes(':'));
  const v4 = isForwarding && hasV4 ? SERVICE_ADDRESS : '';
  const v6 = isForwarding && hasV6 ? SERVICE_ADDRESS_V6 : '';
  return HostDnsConfig.make({
    enabled: isEnabled,
    listenAddresses: [LOCAL_ADDRESS, ...(v4 === '' ? [] : [`${v4}:53`]), ...(v6 === '' ? [] : [`[${v6}]:53`])],
    serviceHostDNSAddress: v4,
    serviceHostDNSAddressV6: v6,
    resolveMemberNames: resolveMemberNames === true,
  });
}

/** From the configuration to HostDNSConfig; the addresses that pods ask come onto `lo`. */
export function hostDnsConfigController({ settings: { manageAll } }: Pick<NodeEnvironment, 'settings'>): Controller {
  return {
    name: 'network.HostDNSConfigController',
    inputs: [{ definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' }],
    outputs: [
      { definition: HostDnsConfig, kind: 'exclusive' },
      { definition: AddressSpec, kind: 'shared' },
    ],
    reconcile: (context) => {
      const plan = planHostDns(context.get(MachineConfig, ACTIVE_CONFIG)?.spec, manageAll);
      context.put(HostDnsConfig, HOST_DNS_ID, plan);
      putAddresses(context, plan);
    },
  };
}

function putAddresses(context: ReconcileContext, plan: HostDnsConfig): void {
  const outputs = context.outputs(AddressSpec, { namespace: LAYERED });
  for (const text of [plan.serviceHostDNSAddress, plan.serviceHostDNSAddressV6]) {
    const prefix = parseAddressOrPrefix(text);
    if (prefix === undefined) continue;
    // Of IPv6 the kernel takes only ::1 as an address of scope host.
    const scope = prefix.address.family === 'inet4' ? 'host' : 'global';
    const spec = addressSpec({ linkName: 'lo', prefix, layer: 'operator', scope });
    outputs.put(layeredId('operator', addressId(spec)), spec);
  }
  outputs.finish();
}
