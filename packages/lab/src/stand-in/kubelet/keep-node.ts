import { createRemoteClient, type RemoteClient } from '@bloomery/kube';
import { type Node, node } from '@bloomery/model';
import { type Clock, errorText, isBloomeryError, type Logger } from '@bloomery/ports';
import type { ClusterConfig } from '../cluster-config.ts';
import { type NodeFacts, type NodeHealth, nodeObject, nodeStatus } from './node-object.ts';

/** Keeps the Node of this machine, as a kubelet does. */
export interface NodeKeeper extends AsyncDisposable {
  /** Why there is no Node yet, or it cannot be told how the machine is; undefined: all is well. */
  readonly trouble: string | undefined;
}

export interface NodeKeeperOptions {
  readonly cluster: ClusterConfig;
  /** Asked at each look: addresses may come and go. */
  readonly facts: () => NodeFacts;
  readonly health: () => NodeHealth;
  /** Called when `trouble` comes, changes or goes. */
  readonly onChanged: () => void;
}

/** As a kubelet's: how often it tells that it lives. */
const HEARTBEAT_MS = 10_000;
const RETRY_MS = 2_000;

/**
 * Register this machine as a Node with the cluster's bootstrap token, and tell how it is every ten seconds. Node objects that
 * somebody removes are made again; labels and `spec` of one that is there are left alone.
 */
export function keepNode(
  { cluster, facts, health, onChanged }: NodeKeeperOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): NodeKeeper {
  const stop = new AbortController();
  const client = createRemoteClient({
    server: cluster.endpoint.replace(/\/$/, ''),
    ca: cluster.kubernetesCa.crt,
    token: cluster.bootstrapToken,
    namespace: 'default',
  });
  let trouble: string | undefined = 'not registered yet';
  const note = (now: string | undefined): void => {
    if (now === trouble) return;
    trouble = now;
    if (now === undefined) log.info('node.registered', { name: facts().hostname, at: cluster.endpoint });
    else log.warn('node.trouble', { why: now });
    onChanged();
  };
  const look = async (): Promise<number> => {
    try {
      await tellOnce(client, { cluster, facts: facts(), health: health() }, clock);
      note(undefined);
      return HEARTBEAT_MS;
    } catch (error) {
      note(errorText(error));
      return RETRY_MS;
    }
  };
  const running = (async (): Promise<void> => {
    while (!stop.signal.aborted) await clock.sleep(await look(), stop.signal);
  })();
  return {
    get trouble() {
      return trouble;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await client[Symbol.asyncDispose]();
    },
  };
}

interface Report {
  readonly cluster: ClusterConfig;
  readonly facts: NodeFacts;
  readonly health: NodeHealth;
}

async function tellOnce(client: RemoteClient, { cluster, facts, health }: Report, clock: Clock): Promise<void> {
  const before = await registered(client, nodeObject(facts, cluster, process.arch));
  const now = `${new Date(clock.nowMs()).toISOString().slice(0, 19)}Z`;
  const status = nodeStatus(facts, cluster, { health, before, now });
  await client.patch(node, { name: facts.hostname }, { type: 'merge', body: { status } }, { subresource: 'status' });
}

async function registered(client: RemoteClient, wanted: Node): Promise<Node> {
  try {
    return await client.get(node, { name: wanted.metadata.name });
  } catch (error) {
    if (!isBloomeryError(error, 'BLM_API_NOT_FOUND')) throw error;
    return client.create(node, wanted);
  }
}
