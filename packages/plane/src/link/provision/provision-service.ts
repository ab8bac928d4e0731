import { type GrpcService, grpcError, grpcService } from '@bloomery/grpc';
import { type ObjectClient, patchObject } from '@bloomery/kube';
import { type ServerBinding, serverBinding } from '@bloomery/model';
import { errorText, isBloomeryError, type Logger, type RandomBytes } from '@bloomery/ports';
import { bareLinkAddress, drawNodeAddress, type LinkIdentity, swapEndpoints } from '@bloomery/siderolink';
import { formatWireguardKey, linkProto, parseWireguardKey } from '@bloomery/wire';
import type { TimelineRecorder } from '../../insight/timeline.ts';
import type { LinkPeers } from '../peers/link-peers.ts';

/** What answering Provision needs. */
export interface ProvisionDeps {
  readonly client: ObjectClient;
  readonly identity: LinkIdentity;
  readonly peers: LinkPeers;
  /** WireGuard endpoints, best first, for a machine that called from this address. */
  readonly endpoints: (callerAddress: string) => readonly string[];
  readonly random: RandomBytes;
  readonly timeline: TimelineRecorder;
  readonly log: Logger;
}

const UUID_MAX = 253;

/**
 * `sidero.link.ProvisionService`: a machine that has a ServerBinding gets its address on the link. Calls for one machine
 * run one after another, so the key that is stored is that of the last answer; the peer exists before the answer.
 */
export function createProvisionService(deps: ProvisionDeps): GrpcService {
  const exclusively = createKeyedLock();
  return grpcService(linkProto.ProvisionService, {
    provision: async (request, { peer }) => {
      const name = request.nodeUuid.toLowerCase();
      const key = parseWireguardKey(request.nodePublicKey);
      if (name === '' || name.length > UUID_MAX)
        throw grpcError('INVALID_ARGUMENT', 'node_uuid is missing or too long');
      if (key === undefined) throw grpcError('INVALID_ARGUMENT', 'node_public_key is not a WireGuard key');
      const publicKey = formatWireguardKey(key);
      const owner = deps.peers.serverWithKey(publicKey);
      if (owner !== undefined && owner !== name) {
        throw grpcError('ALREADY_EXISTS', 'this public key belongs to another machine');
      }
      return exclusively(name, async () => {
        const address = await store(name, publicKey, deps);
        deps.timeline.record({
          source: 'link',
          about: { server: name, address: peer.host },
          stage: 'Link',
          severity: 'info',
          event: 'LinkProvisioned',
          summary: `Asked for its link address and got ${address}`,
          facts: { address, ...(request.talosVersion === undefined ? {} : { talosVersion: request.talosVersion }) },
        });
        return {
          serverEndpoint: swapEndpoints(deps.endpoints(peer.host)),
          serverPublicKey: deps.identity.publicKey,
          nodeAddressPrefix: `${address}/64`,
          serverAddress: deps.identity.serverAddress,
          grpcPeerAddrPort: '',
        };
      });
    },
  });
}

/** Store address and key in the binding, set the peer, and return the bare address. */
async function store(name: string, publicKey: string, deps: ProvisionDeps): Promise<string> {
  const drawn = drawNodeAddress(deps.identity.prefix, deps.random, (a) => deps.peers.serverAt(a) !== undefined);
  try {
    const binding = await patchObject(deps.client, serverBinding, { name }, (have) => {
      const link = have.spec?.siderolink;
      const address = addressOf(have) === undefined ? `${drawn}/64` : link?.address;
      if (link !== undefined && link.address === address && link.publicKey === publicKey) return undefined;
      return { spec: { siderolink: { address, publicKey } } };
    });
    await deps.peers.put(binding);
    return addressOf(binding) ?? drawn;
  } catch (error) {
    if (isBloomeryError(error, 'BLM_API_NOT_FOUND')) {
      throw grpcError('NOT_FOUND', `server "${name}" has no ServerBinding: it is not allocated`);
    }
    deps.log.error('link.provision_failed', { server: name, error: errorText(error) });
    throw grpcError('INTERNAL', 'the link could not be set up; the manager log says why', error);
  }
}

function addressOf(binding: ServerBinding): string | undefined {
  const text = binding.spec?.siderolink?.address;
  return text === undefined ? undefined : bareLinkAddress(text);
}

/** Runs work for one key one after another. Keys without work take no memory. */
function createKeyedLock(): <R>(key: string, work: () => Promise<R>) => Promise<R> {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const result = (tails.get(key) ?? Promise.resolve()).then(work);
    const tail = result
      .catch(() => {})
      .then(() => {
        if (tails.get(key) === tail) tails.delete(key);
      });
    tails.set(key, tail);
    return result;
  };
}
