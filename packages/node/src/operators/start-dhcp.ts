import type { Kernel } from '../kernel/kernel.ts';
import { addressKey } from '../kernel/kernel-keys.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { LINK_TYPE } from '../resources/enumerations.ts';
import { numberOf } from '../resources/number-of.ts';
import { dhcp4ClientId, dhcp6ClientId } from './client-identifier.ts';
import { Dhcp4Client, type Dhcp4ClientDeps } from './dhcp4/dhcp4-client.ts';
import type { Dhcp4Transport } from './dhcp4/dhcp4-transport.ts';
import { Dhcp6Client, type Dhcp6ClientDeps } from './dhcp6/dhcp6-client.ts';
import type { Dhcp6Transport } from './dhcp6/dhcp6-transport.ts';
import { linkLocalAddress } from './dhcp6/link-local-address.ts';
import type { HearRouters } from './dhcp6/router-advertisements.ts';
import { type LeaseStore, NO_MEMORY } from './lease-store.ts';
import { operatorId } from './operator-id.ts';
import type { OperatorLink, StartOperator } from './operator-spec-controller.ts';

/** How clients speak with servers and hear routers, and what they remember. */
export interface DhcpTransports {
  readonly dhcp4: Dhcp4Transport;
  readonly dhcp6: Dhcp6Transport;
  readonly hearRouters?: HearRouters;
  /** Absent: a restart begins anew. */
  readonly leases?: LeaseStore;
}

/** Sends nothing and hears nothing: for runs that shall change nothing, not even what a server has leased. */
export const SILENT_DHCP: DhcpTransports = {
  dhcp4: { broadcast: async () => NOBODY, unicast: async () => NOBODY },
  dhcp6: { open: async () => NOBODY },
};

const NOBODY = { send: () => {}, [Symbol.dispose]: () => {} };

/** Starts the DHCP client that a spec names, on its link. */
export function startDhcp(environment: NodeEnvironment, transports: DhcpTransports): StartOperator {
  const { clock, log, random, kernel } = environment;
  return (spec, link, changed) => {
    const { operator, dhcp4, dhcp6 } = spec;
    const identity = { type: numberOf(LINK_TYPE, link.type), hardwareAddr: link.hardwareAddr };
    const common = (clientId: Uint8Array | undefined): ClientDeps => {
      const holder = `${link.hardwareAddr} ${Buffer.from(clientId ?? []).toString('hex')}`;
      return {
        ...{ clock, random, changed, log: log.with({ operator }) },
        memory: transports.leases?.memoryOf(operatorId(spec), holder) ?? NO_MEMORY,
        isOnLink: (address) => kernel.view.addresses.has(addressKey({ linkIndex: link.index, address })),
      };
    };
    if (operator === 'dhcp4') {
      const clientId = dhcp4ClientId(dhcp4.clientIdentifier, identity);
      const { routeMetric, skipHostnameRequest } = dhcp4;
      const options = { link: { ...link, ...identity }, routeMetric, skipHostnameRequest };
      return new Dhcp4Client(
        { ...options, ...(clientId === undefined ? {} : { clientId }) },
        { ...common(clientId), transport: transports.dhcp4 },
      );
    }
    if (operator !== 'dhcp6') return undefined;
    const clientId = dhcp6ClientId(dhcp6.clientIdentifier, identity);
    const { skipHostnameRequest } = dhcp6;
    return new Dhcp6Client(
      { linkName: link.name, clientId, iaid: associationId(link.hardwareAddr), skipHostnameRequest },
      { ...common(clientId), ...ofIpv6(link, kernel, transports), transport: transports.dhcp6 },
    );
  };
}

/** What clients of both versions receive. */
type ClientDeps = Omit<Dhcp4ClientDeps, 'transport'>;

/** What a client of DHCPv6 looks at on its link. */
function ofIpv6(
  { name, index }: OperatorLink,
  kernel: Kernel,
  { hearRouters }: DhcpTransports,
): Pick<Dhcp6ClientDeps, 'hearRouters' | 'linkLocal' | 'onAddresses'> {
  return {
    ...(hearRouters === undefined ? {} : { hearRouters: () => hearRouters(name) }),
    linkLocal: () => linkLocalAddress(kernel.view, index),
    onAddresses: (listener) =>
      kernel.listen((change) => {
        if (change.of === 'all' || (change.of === 'address' && change.address.linkIndex === index)) listener();
      }),
  };
}

/** The last four bytes of the link's address: the same at each start, and different for each link. */
function associationId(hardwareAddr: string): number {
  return Number.parseInt(hardwareAddr.replaceAll(':', '').slice(-8), 16) || 0;
}
