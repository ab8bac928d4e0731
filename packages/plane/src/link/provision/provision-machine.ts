import { grpcError } from '@bloomery/grpc';
import type { EventRecorder, ObjectCache, ObjectClient } from '@bloomery/kube';
import { server, serverBinding } from '@bloomery/model';
import type { Clock, Logger, RandomBytes } from '@bloomery/ports';
import { type LinkIdentity, swapEndpoints, virtualAddress } from '@bloomery/siderolink';
import { formatWireguardKey, type linkProto, parseWireguardKey } from '@bloomery/wire';
import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type { AddressLimits } from '../../boot/index.ts';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { LinkPeers } from '../peers/link-peers.ts';
import type { JoinTokens } from '../tokens/join-tokens.ts';
import type { Admitted } from './admit-machine.ts';
import { createDuplicateWatch } from './duplicate-machines.ts';
import { linkAddressOf } from './plan-link.ts';
import type { ProvisionMarks } from './provision-marks.ts';
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
  /** Calls under way; 4096, and 2048 of one address, unless given: many machines may stand behind one router. */
  readonly limits?: AddressLimits;
  /** The system's resolver unless given. */
  readonly lookup?: Lookup;
  readonly random: RandomBytes;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly timeline: TimelineRecorder;
  readonly log: Logger;
}

type Request = MessageShape<typeof linkProto.ProvisionRequestSchema>;
type Answer = MessageInitShape<typeof linkProto.ProvisionResponseSchema>;

/** A call of a machine that was let in. */
export interface ProvisionCall {
  readonly request: Request;
  readonly who: Admitted;
  /** Address that it comes from. */
  readonly caller: string;
}

/** Store what a machine asks for, set its peer, and answer. Calls for one machine must not overlap. */
export type ProvisionMachine = (call: ProvisionCall) => Promise<Answer>;

/** Make the function that provisions machines that were let in. */
export function createProvisionMachine(deps: ProvisionDeps, marks: ProvisionMarks): ProvisionMachine {
  const { identity, cache, clock, tunnelPolicy = 'auto' } = deps;
  const store = createLinkStore({ ...deps, duplicates: createDuplicateWatch(deps) });
  const resolve = createEndpointResolver(clock, deps.lookup ?? systemLookup);
  return async ({ request, who, caller }) => {
    const name = who.server;
    const { talosVersion } = request;
    const publicKey = readKey(request, identity);
    const asked = request.wireguardOverGrpc === true;
    const tunnel = isTunnelled(tunnelPolicy, cache.get(server, { name }), asked);
    if (tunnel && !asked && isTooOldToTunnel(talosVersion)) {
      if (cache.get(serverBinding, { name }) !== undefined) marks.refused(name, caller, TOO_OLD);
      throw grpcError('FAILED_PRECONDITION', TOO_OLD);
    }
    const uniqueToken = deps.tokens?.required === true ? uniqueTokenHash(request.nodeUniqueToken) : undefined;
    const binding = await store(name, { publicKey, tunnel, uniqueToken, joinToken: who.token?.name }, who.token);
    const address = linkAddressOf(binding) ?? '';
    marks.provisioned({
      server: name,
      caller,
      address,
      mode: tunnel ? 'tunnel' : 'udp',
      ...(talosVersion === undefined ? {} : { talosVersion }),
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
}

const TOO_OLD = 'it must use the gRPC tunnel, which its Talos version does not know';

/** The machine's public key in canonical text. */
function readKey(request: Request, identity: LinkIdentity): string {
  const key = parseWireguardKey(request.nodePublicKey);
  if (key === undefined) throw grpcError('INVALID_ARGUMENT', 'node_public_key is not a WireGuard key');
  const text = formatWireguardKey(key);
  if (text === identity.publicKey) throw grpcError('INVALID_ARGUMENT', 'node_public_key is the key of this server');
  return text;
}
