import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGrpcClient, createGrpcHandler } from '@bloomery/grpc';
import { createObjectCache, runInformer } from '@bloomery/kube';
import { openStore, startApiEngine } from '@bloomery/kubeapi';
import {
  allKinds,
  apiVersionOf,
  type KindDefinition,
  type KubeObject,
  metalMachine,
  server,
  serverBinding,
} from '@bloomery/model';
import { type Clock, silentLog, systemClock } from '@bloomery/ports';
import { generateWireguardKey, wireguardPublicKey } from '@bloomery/siderolink';
import { linkProto } from '@bloomery/wire';
import type { TimelineDraft } from '../../insight/timeline.ts';
import { loadLinkIdentity } from '../link-secret.ts';
import { createLinkPeers } from '../peers/link-peers.ts';
import type { ProvisionDeps } from '../provision/provision-machine.ts';
import { createProvisionService } from '../provision/provision-service.ts';
import { followJoinTokens } from '../tokens/join-tokens.ts';

/** What a test of Provision may choose. */
export interface ProvisionLabOptions {
  /** Names of ServerBindings that are there. */
  readonly bindings: readonly string[];
  readonly requireTokens?: boolean;
  /** The system's unless given. */
  readonly clock?: Clock;
  readonly settings?: Partial<Pick<ProvisionDeps, 'tunnelPolicy' | 'limits' | 'endpoints' | 'lookup'>>;
}

/** A new public key, as base64. */
export const newKey = (): string => wireguardPublicKey(generateWireguardKey());

/** What a refusal with this status looks like to `assert.rejects`. */
export const status = (name: string): object => ({ code: 'BLM_GRPC_STATUS', facts: { status: name } });

/** Provision behind a socket, on the embedded API, without a WireGuard device. */
export async function startProvisionLab(options: ProvisionLabOptions) {
  const { clock = systemClock } = options;
  const log = silentLog;
  const random = (length: number): Uint8Array => randomBytes(length);
  const dir = mkdtempSync(join(tmpdir(), 'blm-provision-'));
  const store = openStore({ dir, clock: systemClock, log, random });
  const engine = await startApiEngine({ store, kinds: allKinds, clock: systemClock, log, random });
  const { client } = engine;
  const add = (kind: KindDefinition, name: string, rest: object = {}): Promise<KubeObject> => {
    const metadata = { name };
    return client.create<KubeObject>(kind, { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...rest });
  };
  for (const name of options.bindings) {
    await add(serverBinding, name, { spec: { metalMachineRef: { name: 'm', namespace: 'default' } } });
  }
  const cache = createObjectCache();
  const stop = new AbortController();
  const informers = { client, cache, clock: systemClock, log, random: () => 0.5 };
  const kinds = [serverBinding, server, metalMachine];
  const listed = kinds.map((kind) => new Promise<void>((done) => void runInformer(kind, informers, done, stop.signal)));
  await Promise.all(listed);
  const timeline: TimelineDraft[] = [];
  const events: { readonly about: string; readonly reason: string }[] = [];
  const identity = await loadLinkIdentity(client);
  const peers = createLinkPeers({ serverPrivateKey: identity.privateKey, clock, log });
  const tokens = await followJoinTokens({ required: options.requireTokens === true }, { client, clock, log, random });
  const service = createProvisionService({
    client,
    cache,
    identity,
    peers,
    tokens,
    endpoints: () => ['10.0.0.1:51821'],
    random,
    clock,
    timeline: { record: (draft) => timeline.push(draft) },
    events: {
      record: (about, { reason }) => events.push({ about: `${about.kind}/${about.metadata.name}`, reason }),
    },
    log,
    ...options.settings,
  });
  const http = createServer();
  http.on('stream', createGrpcHandler([service], { log, clock: systemClock }));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const grpc = createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock });
  const { provision } = grpc.service(linkProto.ProvisionService);
  return {
    client,
    cache,
    add,
    identity,
    peers,
    tokens,
    timeline,
    events,
    /** A machine asks, with a new key unless it brings one. */
    provision: (nodeUuid: string, rest: Omit<Parameters<typeof provision>[0], 'nodeUuid' | '$typeName'> = {}) =>
      provision({ nodeUuid, nodePublicKey: newKey(), nodeUniqueToken: '', ...rest }),
    binding: (name: string) => client.get(serverBinding, { name }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      grpc.close();
      http.close();
      await tokens[Symbol.asyncDispose]();
      engine.stop();
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Resolves when it holds; fails after 10 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
