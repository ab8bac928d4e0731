import type { Controller, ReconcileContext } from '@bloomery/cosi';
import { LINK_MTU } from '@bloomery/siderolink';
import { addressId } from '../addresses/configured-addresses.ts';
import { layeredId } from '../layers/index.ts';
import { NETWORK_STATUS_ID } from '../network-status/index.ts';
import type { NodeSettings } from '../node-environment.ts';
import { AddressSpec } from '../resources/addresses.ts';
import { ADDRESS_FLAGS } from '../resources/enumerations.ts';
import { LinkSpec } from '../resources/links.ts';
import { ACTIVE_CONFIG, LAYERED, MachineConfig } from '../resources/machine-config.ts';
import { NetworkStatus } from '../resources/network-status.ts';
import { SiderolinkConfig, SiderolinkTunnel } from '../resources/siderolink.ts';
import { SIDEROLINK_CONFIG_ID } from './config-controller.ts';
import { linkSettings } from './link-settings.ts';
import type { NodeLink } from './node-link.ts';

/** Id of the one SiderolinkTunnel. */
export const SIDEROLINK_TUNNEL_ID = 'siderolink-tunnel';

/**
 * Joins the link as configured and keeps it, as soon as the machine has an address; and tells what link and address there are.
 *
 * The interface is made by the client library of the link, not by the controllers of links: it works on hosts without WireGuard in
 * the kernel, it finds an interface that a crash left behind, and its key must not stand among the specs. So the LinkSpec is not
 * `logical`: it keeps the interface up at its MTU, and the AddressSpec keeps the address, but neither makes nor removes the device.
 */
export function siderolinkManagerController(
  { cmdline, uuid, talosVersion }: Pick<NodeSettings, 'cmdline' | 'uuid' | 'talosVersion'>,
  link: NodeLink,
): Controller {
  return {
    name: 'siderolink.ManagerController',
    inputs: [
      { definition: SiderolinkConfig, id: SIDEROLINK_CONFIG_ID, kind: 'weak' },
      { definition: MachineConfig, id: ACTIVE_CONFIG, kind: 'weak' },
      { definition: NetworkStatus, id: NETWORK_STATUS_ID, kind: 'weak' },
    ],
    outputs: [
      { definition: LinkSpec, kind: 'shared' },
      { definition: AddressSpec, kind: 'shared' },
      { definition: SiderolinkTunnel, kind: 'exclusive' },
    ],
    wakes: [{ listen: link.onChanged }],
    reconcile: (context) => {
      const config = context.get(SiderolinkConfig, SIDEROLINK_CONFIG_ID)?.spec;
      const settings = linkSettings(cmdline, context.get(MachineConfig, ACTIVE_CONFIG)?.spec);
      const isReady = context.get(NetworkStatus, NETWORK_STATUS_ID)?.spec.addressReady === true;
      try {
        if (config === undefined) link.join(undefined, settings);
        else if (isReady || link.isJoining()) {
          const { uniqueToken } = settings;
          const inputs = { api: config.apiEndpoint, uuid, talosVersion };
          link.join(uniqueToken === undefined ? inputs : { ...inputs, uniqueToken }, settings);
        }
      } finally {
        publish(context, link, config);
      }
    },
    stop: async () => link[Symbol.asyncDispose](),
  };
}

/** What stands of the link now. */
function publish(context: ReconcileContext, link: NodeLink, config: SiderolinkConfig | undefined): void {
  const { linkName, nodeAddress } = link.status();
  const virtualAddress = link.virtualAddress();
  const links = context.outputs(LinkSpec, { namespace: LAYERED });
  const addresses = context.outputs(AddressSpec, { namespace: LAYERED });
  const tunnels = context.outputs(SiderolinkTunnel);
  if (config !== undefined && linkName !== '' && nodeAddress !== undefined) {
    const address = AddressSpec.make({
      address: nodeAddress,
      linkName,
      family: 'inet6',
      scope: 'global',
      flags: ADDRESS_FLAGS.permanent | ADDRESS_FLAGS.nodad,
      layer: 'operator',
    });
    links.put(
      layeredId('operator', linkName),
      LinkSpec.make({ name: linkName, up: true, mtu: LINK_MTU, layer: 'operator' }),
    );
    addresses.put(layeredId('operator', addressId(address)), address);
    if (virtualAddress !== undefined) {
      const tunnel = { apiEndpoint: config.apiEndpoint, linkName, mtu: LINK_MTU, nodeAddress: virtualAddress };
      tunnels.put(SIDEROLINK_TUNNEL_ID, tunnel);
    }
  }
  for (const outputs of [links, addresses, tunnels]) outputs.finish();
}
