import { type CallContext, type GrpcService, grpcService } from '@bloomery/grpc';
import { agentProto } from '@bloomery/wire';
import { adoptBmc } from './adopt-bmc.ts';
import type { AgentCaller, AgentServiceDeps } from './agent-deps.ts';
import { heartbeat, markServerAsWiped, reconcileServerAddresses } from './agent-reports.ts';
import { registerServer } from './register-server.ts';

function callerOf({ metadata, peer }: CallContext): AgentCaller {
  return { token: metadata['sidero.token'] ?? metadata['sidero-token'], address: peer.host };
}

/** The gRPC service `api.Agent` that boot agents talk to (boot.md §10). */
export function createAgentService(deps: AgentServiceDeps): GrpcService {
  return grpcService(agentProto.Agent, {
    createServer: (request, context) => registerServer(request, callerOf(context), deps),
    markServerAsWiped: async ({ uuid }, context) => {
      await markServerAsWiped(uuid, callerOf(context), deps);
      return {};
    },
    heartbeat: async ({ uuid }, context) => {
      await heartbeat(uuid, callerOf(context), deps);
      return {};
    },
    reconcileServerAddresses: async ({ uuid, address }, context) => {
      await reconcileServerAddresses(uuid, address, callerOf(context), deps);
      return {};
    },
    updateBMCInfo: async ({ uuid, bmcInfo }, context) => {
      await adoptBmc(uuid, bmcInfo, callerOf(context), deps);
      return {};
    },
  });
}
