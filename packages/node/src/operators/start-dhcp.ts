import type { NodeEnvironment } from '../node-environment.ts';
import { LINK_TYPE } from '../resources/enumerations.ts';
import { numberOf } from '../resources/number-of.ts';
import { dhcp4ClientId, dhcp6ClientId } from './client-identifier.ts';
import { Dhcp4Client } from './dhcp4/dhcp4-client.ts';
import type { Dhcp4Transport } from './dhcp4/dhcp4-transport.ts';
import { Dhcp6Client } from './dhcp6/dhcp6-client.ts';
import type { Dhcp6Transport } from './dhcp6/dhcp6-transport.ts';
import { linkLocalAddress } from './dhcp6/link-local-address.ts';
import type { StartOperator } from './operator-spec-controller.ts';

/** How clients speak with servers and hear routers. */
export interface DhcpTransports {
  readonly dhcp4: Dhcp4Transport;
  readonly dhcp6: Dhcp6Transport;
  /** Lets the kernel take router advertisements on a link. Returns the function that undoes it. */
  readonly hearRouters?: (linkName: string) => Promise<() => Promise<void>>;
}

/** Sends nothing and hears nothing: for runs that shall change nothing, not even what a server has leased. */
export const SILENT_DHCP: DhcpTransports = {
  dhcp4: { broadcast: async () => NOBODY, unicast: async () => NOBODY },
  dhcp6: { open: async () => NOBODY },
};

const NOBODY = { send: () => {}, [Symbol.dispose]: () => {} };

/** Starts the DHCP client that a spec names, on its link. */
export function startDhcp({ clock, log, random, kernel }: NodeEnvironment, transports: DhcpTransports): StartOperator {
  const { hearRouters } = transports;
  return ({ operator, dhcp4, dhcp6 }, link, changed) => {
    const common = { clock, random, changed, log: log.with({ operator }) };
    const identity = { type: numberOf(LINK_TYPE, link.type), hardwareAddr: link.hardwareAddr };
    if (operator === 'dhcp4') {
      const clientId = dhcp4ClientId(dhcp4.clientIdentifier, identity);
      const { routeMetric, skipHostnameRequest } = dhcp4;
      return new Dhcp4Client(
        {
          link: { ...link, ...identity },
          routeMetric,
          skipHostnameRequest,
          ...(clientId === undefined ? {} : { clientId }),
        },
        { ...common, transport: transports.dhcp4 },
      );
    }
    if (operator !== 'dhcp6') return undefined;
    return new Dhcp6Client(
      {
        linkName: link.name,
        clientId: dhcp6ClientId(dhcp6.clientIdentifier, identity),
        iaid: associationId(link.hardwareAddr),
        skipHostnameRequest: dhcp6.skipHostnameRequest,
      },
      {
        ...common,
        transport: transports.dhcp6,
        ...(hearRouters === undefined ? {} : { hearRouters: () => hearRouters(link.name) }),
        linkLocal: () => linkLocalAddress(kernel.view, link.index),
        onAddresses: (listener) =>
          kernel.listen((change) => {
            if (change.of === 'all' || (change.of === 'address' && change.address.linkIndex === link.index)) listener();
          }),
      },
    );
  };
}

/** The last four bytes of the link's address: the same at each start, and different for each link. */
function associationId(hardwareAddr: string): number {
  return Number.parseInt(hardwareAddr.replaceAll(':', '').slice(-8), 16) || 0;
}
