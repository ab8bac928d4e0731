import { type GrpcService, grpcError, grpcService } from '@bloomery/grpc';
import type { EventRecorder, ObjectCache, ObjectClient } from '@bloomery/kube';
import { server } from '@bloomery/model';
import { type Clock, errorText, isBloomeryError, type Logger, type RandomBytes } from '@bloomery/ports';
import { type LinkIdentity, swapEndpoints, virtualAddress } from '@bloomery/siderolink';
import { formatWireguardKey, linkProto, parseWireguardKey } from '@bloomery/wire';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { LinkPeers } from '../peers/link-peers.ts';
import type { JoinTokens } from '../tokens/join-tokens.ts';
import { type Admitted, createAdmission } from './admit-machine.ts';
import { createDuplicateWatch } from './duplicate-machines.ts';
import { createKeyedLock } from './keyed-lock.ts';
import { linkAddressOf } from './plan-link.ts';
import { createProvisionLimit, PROVISION_LIMITS, type ProvisionLimits } from './provision-limit.ts';
import { createProvisionMarks } from './provision-marks.ts';
import { createEndpointResolver, type Lookup, systemLookup } from './resolve-endpoints.ts';
import { createLinkStore } from './store-link.ts';
import { isTooOldToTunnel, isTunnelled, type TunnelPolicy } from './tunnel-policy.ts';
import { uniqueTokenHash } from './unique-token.ts';

/** What answering Provision needs. */
export interface ProvisionDeps {
  readonly client: ObjectClient;
  /** Must hold Servers, ServerBindings and MetalMachines. */
  readonly cache: ObjectCache;
  readonly identity: LinkIdentity;
  readonly peers: LinkPeers;
  /** WireGuard endpoints as `host:port`, best first, for a machine that called from this address. Names are resolved. */
  readonly endpoints: (callerAddress: string) => readonly string[];
  /** Absent: tokens of machines are ignored. */
  readonly tokens?: JoinTokens;
  /** `auto` unless given. */
  readonly tunnelPolicy?: TunnelPolicy;
  readonly limits?: ProvisionLimits;
  /** The system's resolver unless given. */
  readonly lookup?: Lookup;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly log: Logger;
}

/** Calls for one machine that may wait at the same time. */
const WAITING_MAX = 256;
const NAME_MAX = 253;
const NAME = /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/;

type Request = Parameters<Parameters<typeof grpcService<typeof linkProto.ProvisionService>>[1]['provision']>[0];

/**
 * `sidero.link.ProvisionService`: a machine that has a ServerBinding gets its address on the link. Calls for one machine
 * run one after another, so the key that is stored is that of the last answer; the peer exists before the answer.
 */
export function createProvisionService(deps: ProvisionDeps): GrpcService {
  const { identity, cache, log, clock, tunnelPolicy = 'auto' } = deps;
  const enter = createProvisionLimit(deps.limits ?? PROVISION_LIMITS);
  const lock = createKeyedLock(WAITING_MAX);
  const duplicates = createDuplicateWatch(deps);
  const store = createLinkStore({ ...deps, duplicates });
  const resolve = createEndpointResolver(clock, deps.lookup ?? systemLookup);
  const marks = createProvisionMarks(deps.timeline, clock);
  const admit = createAdmission({ ...deps, marks });

  const provision = async (request: Request, who: Admitted, caller: string) => {
    const name = who.server;
    const publicKey = readKey(request, identity);
    const asked = request.wireguardOverGrpc === true;
    const tunnel = isTunnelled(tunnelPolicy, cache.get(server, { name }), asked);
    if (tunnel && !asked && isTooOldToTunnel(request.talosVersion)) {
      marks.refused(name, caller, 'it must use the gRPC tunnel, which its Talos version does not know');
      throw grpcError(
        'FAILED_PRECONDITION',
        'this machine must use the gRPC tunnel, which its Talos version does not know',
      );
    }
    const uniqueToken = deps.tokens?.required === true ? uniqueTokenHash(request.nodeUniqueToken) : undefined;
    const binding = await store(name, { publicKey, tunnel, uniqueToken, joinToken: who.token?.name }, who.token);
    const address = linkAddressOf(binding) ?? '';
    marks.provisioned({
      server: name,
      caller,
      address,
      mode: tunnel ? 'tunnel' : 'udp',
      ...(request.talosVersion === undefined ? {} : { talosVersion: request.talosVersion }),
      ...(who.token === undefined ? {} : { joinToken: who.token.name }),
    });
    const virtual = tunnel ? virtualAddress(identity.privateKey, publicKey) : '';
    return {
      serverEndpoint: tunnel ? [virtual] : swapEndpoints(await resolve(deps.endpoints(caller))),
      serverPublicKey: identity.publicKey,
      nodeAddressPrefix: `${address}/64`,
      serverAddress: identity.serverAddress,
      grpcPeerAddrPort: virtual,
    };
  };

  return grpcService(linkProto.ProvisionService, {
    provision: async (request, { peer, signal }) => {
      const leave = enter(peer.host);
      if (leave === undefined) throw busy('too many machines ask for their addresses at the same time');
      try {
        const isName = request.nodeUuid.length <= NAME_MAX && NAME.test(request.nodeUuid.toLowerCase());
        const uuid = isName ? request.nodeUuid.toLowerCase() : '';
        const { joinToken, nodeUniqueToken: uniqueToken } = request;
        const who = await admit({ uuid, joinToken, uniqueToken, caller: peer.host });
        if (!isName) throw grpcError('INVALID_ARGUMENT', 'node_uuid is not a UUID');
        const done = lock.run(who.server, async () => {
          if (signal.aborted) throw grpcError('CANCELLED', 'the machine waits no more');
          return await provision(request, who, peer.host);
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

/** The machine's public key in canonical text. */
function readKey(request: Request, identity: LinkIdentity): string {
  const key = parseWireguardKey(request.nodePublicKey);
  if (key === undefined) throw grpcError('INVALID_ARGUMENT', 'node_public_key is not a WireGuard key');
  const text = formatWireguardKey(key);
  if (text === identity.publicKey) throw grpcError('INVALID_ARGUMENT', 'node_public_key is the key of this server');
  return text;
}

function busy(message: string): Error {
  return grpcError('RESOURCE_EXHAUSTED', `${message}; ask again later`);
}
