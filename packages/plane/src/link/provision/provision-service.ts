import { type GrpcService, grpcError, grpcService } from '@bloomery/grpc';
import { errorText, isBloomeryError } from '@bloomery/ports';
import { linkProto } from '@bloomery/wire';
import { createAddressLimit } from '../../boot/index.ts';
import { createKeyedLock } from '../keyed-lock.ts';
import { createAdmission } from './admit-machine.ts';
import { createProvisionMachine, type ProvisionDeps } from './provision-machine.ts';
import { createProvisionMarks } from './provision-marks.ts';

const LIMITS = { total: 4_096, perAddress: 2_048 };
/** Calls for one machine that may wait at the same time. */
const WAITING_MAX = 256;
const NAME_MAX = 253;
const NAME = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;

/**
 * `sidero.link.ProvisionService`: a machine that has a ServerBinding gets its address on the link. Calls for one machine
 * run one after another, so the key that is stored is that of the last answer; the peer exists before the answer.
 */
export function createProvisionService(deps: ProvisionDeps): GrpcService {
  const { log } = deps;
  const enter = createAddressLimit(deps.limits ?? LIMITS);
  const lock = createKeyedLock(WAITING_MAX);
  const marks = createProvisionMarks(deps.timeline, deps.clock);
  const admit = createAdmission({ ...deps, marks });
  const provisionMachine = createProvisionMachine(deps, marks);
  return grpcService(linkProto.ProvisionService, {
    provision: async (request, { peer, signal }) => {
      const caller = peer.host;
      const leave = enter(caller);
      if (leave === undefined) throw busy('too many machines ask for their addresses at the same time');
      try {
        const name = nameOf(request.nodeUuid);
        const { joinToken, nodeUniqueToken: uniqueToken } = request;
        const who = await admit({ uuid: name ?? '', joinToken, uniqueToken, caller });
        if (name === undefined) throw grpcError('INVALID_ARGUMENT', 'node_uuid is not a UUID');
        const done = lock.run(who.server, async () => {
          if (signal.aborted) throw grpcError('CANCELLED', 'the machine waits no more');
          return await provisionMachine({ request, who, caller });
        });
        if (done === undefined) throw busy('this machine asks too often');
        return await done;
      } catch (error) {
        if (isBloomeryError(error, 'BLM_GRPC_STATUS')) throw error;
        log.error('link.provision_failed', { server: request.nodeUuid.slice(0, 64), error: errorText(error) });
        throw grpcError('INTERNAL', 'the link could not be set up; the manager log says why', error);
      } finally {
        leave();
      }
    },
  });
}

/** Lower case, as ServerBindings are named; undefined for what cannot be a name. */
function nameOf(uuid: string): string | undefined {
  if (uuid.length > NAME_MAX) return undefined;
  const name = uuid.toLowerCase();
  return NAME.test(name) ? name : undefined;
}

function busy(message: string): Error {
  return grpcError('RESOURCE_EXHAUSTED', `${message}; ask again later`);
}
