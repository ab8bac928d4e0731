import { join } from 'node:path';
import type { Controller } from '@bloomery/cosi';
import { createProblems, mergeController } from '../layers/index.ts';
import type { NodeEnvironment } from '../node-environment.ts';
import { OperatorSpec } from '../resources/index.ts';
import { socketDhcp4Transport } from './dhcp4/socket-transport.ts';
import { createRouterListener } from './dhcp6/router-advertisements.ts';
import { socketDhcp6Transport } from './dhcp6/socket-transport.ts';
import { openLeaseStore } from './lease-store.ts';
import { operatorConfigController } from './operator-config-controller.ts';
import { operatorId } from './operator-id.ts';
import { operatorSpecController } from './operator-spec-controller.ts';
import { type DhcpTransports, startDhcp } from './start-dhcp.ts';

export { type DhcpTransports, SILENT_DHCP } from './start-dhcp.ts';

/**
 * Controllers of what configures links by what the network says: DHCPv4 and DHCPv6.
 *
 * @param transports How clients speak with servers; sockets of this host unless given.
 */
export function operatorControllers(
  environment: NodeEnvironment,
  transports: DhcpTransports = ofThisHost(environment),
): readonly Controller[] {
  const problems = createProblems();
  return [
    operatorConfigController(environment),
    mergeController({ name: 'network.OperatorMergeController', definition: OperatorSpec, idOf: operatorId, problems }),
    operatorSpecController({
      problems,
      startOperator: startDhcp(environment, transports),
      settled: async () => transports.leases?.settled(),
    }),
  ];
}

const LEASES_FILE = 'dhcp-leases.json';
const ROUTERS_FOLDER = 'accept-ra';

function ofThisHost({ log, settings }: NodeEnvironment): DhcpTransports {
  const { root, stateDir } = settings;
  const hearRouters = createRouterListener({ root, folder: join(stateDir, ROUTERS_FOLDER), log });
  return {
    dhcp4: socketDhcp4Transport(log),
    dhcp6: socketDhcp6Transport(),
    leases: openLeaseStore(join(stateDir, LEASES_FILE), log),
    hearRouters: async (linkName) => {
      const undo = await hearRouters(linkName);
      return settings.leave ? async () => {} : undo;
    },
  };
}
