import { grpcError } from '@bloomery/grpc';
import { type ObjectCache, type ObjectClient, patchObject } from '@bloomery/kube';
import { ANNOTATIONS, type JsonObject, type ServerBinding, serverBinding } from '@bloomery/model';
import { isBloomeryError, type RandomBytes } from '@bloomery/ports';
import { drawNodeAddress, type LinkIdentity } from '@bloomery/siderolink';
import type { LinkPeers } from '../peers/link-peers.ts';
import type { JoinToken } from '../tokens/join-token.ts';
import type { JoinTokens } from '../tokens/join-tokens.ts';
import type { DuplicateWatch } from './duplicate-machines.ts';
import { type LinkWish, linkAddressOf, planLink } from './plan-link.ts';
import { judgeUniqueToken } from './unique-token.ts';

/** What storing a machine's link needs. */
export interface LinkStoreDeps {
  readonly client: ObjectClient;
  readonly cache: ObjectCache;
  readonly identity: Pick<LinkIdentity, 'prefix'>;
  readonly peers: Pick<LinkPeers, 'put' | 'serverAt' | 'serverWithKey'>;
  readonly tokens?: JoinTokens;
  readonly duplicates: DuplicateWatch;
  readonly random: RandomBytes;
}

/**
 * Store a machine's address, key and mode in its ServerBinding with one write, set its peer, and return the binding.
 * Calls for one name must not overlap. Throws gRPC statuses for refusals, anything else as it came.
 */
export type StoreLink = (name: string, wish: LinkWish, token: JoinToken | undefined) => Promise<ServerBinding>;

/** Make the store. Addresses and keys that are being written count as taken. */
export function createLinkStore(deps: LinkStoreDeps): StoreLink {
  const { client, cache, identity, peers, tokens, duplicates } = deps;
  const keys = new Map<string, string>();
  const addresses = new Map<string, string>();
  const holderOf = (address: string): string | undefined => peers.serverAt(address) ?? addresses.get(address);

  const write = async (
    name: string,
    wish: LinkWish,
    token: JoinToken | undefined,
    draw: () => string,
  ): Promise<ServerBinding> => {
    const plan = (have: ServerBinding): JsonObject | undefined => {
      const owner = judgeUniqueToken(have.metadata.annotations?.[ANNOTATIONS.siderolinkUniqueToken], wish.uniqueToken);
      if (owner === 'other') throw new OtherMachine(have);
      const own = linkAddressOf(have);
      return planLink(have, wish, own !== undefined && (holderOf(own) ?? name) === name ? own : draw());
    };
    const cached = cache.get(serverBinding, { name }) ?? (await client.get(serverBinding, { name }));
    if (token !== undefined && tokens !== undefined && !(await tokens.use(token, name))) {
      throw grpcError('PERMISSION_DENIED', 'invalid join token');
    }
    return (await writeFrom(cached, plan, client)) ?? (await patchObject(client, serverBinding, { name }, plan));
  };

  return async (name, wish, token) => {
    const { publicKey } = wish;
    const owner = keys.get(publicKey) ?? peers.serverWithKey(publicKey);
    if (owner !== undefined && owner !== name) {
      throw grpcError('ALREADY_EXISTS', 'this public key belongs to another machine');
    }
    let drawn: string | undefined;
    const draw = (): string => {
      drawn ??= drawNodeAddress(identity.prefix, deps.random, (address) => holderOf(address) !== undefined);
      addresses.set(drawn, name);
      return drawn;
    };
    keys.set(publicKey, name);
    let binding: ServerBinding;
    let peerSet: Promise<void>;
    try {
      binding = await write(name, wish, token, draw);
      // From this call on the peers know address and key: the claims may go.
      peerSet = peers.put(binding);
    } catch (error) {
      if (error instanceof OtherMachine) duplicates.refused(error.binding);
      throw refusalOf(error, name);
    } finally {
      keys.delete(publicKey);
      if (drawn !== undefined) addresses.delete(drawn);
    }
    await peerSet;
    duplicates.provisioned(binding, publicKey);
    return binding;
  };
}

function refusalOf(error: unknown, name: string): unknown {
  if (error instanceof OtherMachine) return grpcError('PERMISSION_DENIED', 'this machine does not own its UUID');
  if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) return error;
  return grpcError('NOT_FOUND', `server "${name}" has no ServerBinding: it is not allocated`);
}

class OtherMachine extends Error {
  readonly binding: ServerBinding;

  constructor(binding: ServerBinding) {
    super('the unique token of another machine');
    this.binding = binding;
  }
}

/**
 * One write, decided by what the cache says; undefined when the cache is behind, or says that there is nothing to do or to
 * refuse: that is only believed of the API.
 */
async function writeFrom(
  cached: ServerBinding,
  plan: (have: ServerBinding) => JsonObject | undefined,
  client: ObjectClient,
): Promise<ServerBinding | undefined> {
  const { name, resourceVersion } = cached.metadata;
  try {
    const patch = plan(cached);
    if (patch === undefined) return undefined;
    const { metadata } = patch as { readonly metadata?: JsonObject };
    const body = { ...patch, metadata: { ...metadata, resourceVersion } };
    return await client.patch(serverBinding, { name }, { type: 'merge', body });
  } catch (error) {
    if (error instanceof OtherMachine || isBloomeryError(error, 'BLM_API_CONFLICT')) return undefined;
    throw error;
  }
}
