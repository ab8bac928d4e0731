import type { GrpcClient } from '@bloomery/grpc';
import { agentProto } from '@bloomery/wire';
import { createServerRequest } from './hardware/hardware-information.ts';
import type { Plane } from './journey.ts';

const TIMEOUT_MS = 30_000;

/** The plane over gRPC. `token` is this boot's secret and travels as metadata `sidero.token`. */
export function createPlaneClient(client: GrpcClient, token: string | undefined): Plane {
  const service = client.service(agentProto.Agent);
  const options = { timeoutMs: TIMEOUT_MS, ...(token === undefined ? {} : { metadata: { 'sidero.token': token } }) };
  return {
    register: async (inventory, hostname) => {
      const answer = await service.createServer(createServerRequest(inventory, hostname), options);
      return {
        wipe: answer.wipe,
        insecureWipe: answer.insecureWipe,
        setupBmc: answer.setupBmc,
        rebootTimeoutMs: answer.rebootTimeout * 1000,
      };
    },
    reportAddresses: async (uuid, addresses) => {
      const address = addresses.map((text) => ({ type: 'InternalIP', address: text }));
      await service.reconcileServerAddresses({ uuid, address }, options);
    },
    heartbeat: async (uuid) => {
      await service.heartbeat({ uuid }, options);
    },
    reportWiped: async (uuid) => {
      await service.markServerAsWiped({ uuid }, options);
    },
    reportBmcAddress: async (uuid, ip, port) => {
      await service.updateBMCInfo({ uuid, bmcInfo: { ip, port } }, options);
    },
    reportBmcUser: async (uuid, user, password) => {
      await service.updateBMCInfo({ uuid, bmcInfo: { user, pass: password } }, options);
    },
  };
}
