import assert from 'node:assert/strict';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { createGrpcClient, createGrpcHandler } from '@bloomery/grpc';
import { createObjectCache } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import { type ServerBinding, secret, serverBinding } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import {
  generateWireguardKey,
  isSiderolinkAddress,
  type WireguardDevice,
  wireguardPublicKey,
} from '@bloomery/siderolink';
import { type DeviceUpdate, linkProto } from '@bloomery/wire';
import { loadLinkIdentity } from '../link-secret.ts';
import { createLinkPeers } from '../peers/link-peers.ts';
import { createProvisionService } from './provision-service.ts';

const UUID = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const OTHER = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';

function bindingOf(name: string): ServerBinding {
  return {
    apiVersion: 'infrastructure.cluster.x-k8s.io/v1alpha3',
    kind: 'ServerBinding',
    metadata: { name },
    spec: { metalMachineRef: { name: 'm', namespace: 'default' } },
  };
}

/** A device that remembers what it was told. */
function fakeDevice(): WireguardDevice & { readonly updates: DeviceUpdate[]; peers(): string[] } {
  const updates: DeviceUpdate[] = [];
  return {
    interfaceName: 'fake',
    backend: 'userspace',
    updates,
    peers: () => {
      const held = new Map<string, string>();
      for (const peer of updates.flatMap((update) => update.peers ?? [])) {
        if (peer.remove) held.delete(peer.publicKey);
        else held.set(peer.publicKey, peer.allowedIps.join());
      }
      return [...held].map(([key, address]) => `${key} ${address}`);
    },
    lost: new Promise(() => {}),
    update: async (update) => void updates.push(update),
    state: async () => ({ listenPort: 1, peers: [] }),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function setUp() {
  const client = createMemoryClient({
    objects: [UUID, OTHER].map((name) => ({ kind: serverBinding, object: bindingOf(name) })),
  });
  const identity = await loadLinkIdentity(client);
  const peers = createLinkPeers({ serverPrivateKey: identity.privateKey, clock: systemClock, log: silentLog });
  const device = fakeDevice();
  await peers.attach(device);
  let draw = 0;
  const service = createProvisionService({
    client,
    cache: createObjectCache(),
    clock: systemClock,
    events: { record() {} },
    identity,
    peers,
    endpoints: () => ['10.0.0.1:51821'],
    random: (length) => new Uint8Array(length).fill(++draw),
    timeline: { record() {} },
    log: silentLog,
  });
  const http = createServer();
  http.on('stream', createGrpcHandler([service], { log: silentLog, clock: systemClock }));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const grpc = createGrpcClient({ address: { host: '127.0.0.1', port }, clock: systemClock });
  after(() => {
    grpc.close();
    http.close();
  });
  const { provision } = grpc.service(linkProto.ProvisionService);
  return { client, identity, peers, device, provision };
}

const newKey = (): string => wireguardPublicKey(generateWireguardKey());
const status = (name: string): object => ({ code: 'BLM_GRPC_STATUS', facts: { status: name } });

describe('Provision', () => {
  it('stores address and key, sets the peer, then answers', async () => {
    const { client, identity, device, provision } = await setUp();
    const key = newKey();
    const answer = await provision({ nodeUuid: UUID.toUpperCase(), nodePublicKey: `${key}\n`, nodeUniqueToken: '' });
    const { spec } = await client.get(serverBinding, { name: UUID });
    assert.deepEqual(spec?.siderolink, { address: answer.nodeAddressPrefix, publicKey: key });
    const address = answer.nodeAddressPrefix.replace(/\/64$/, '');
    assert.ok(isSiderolinkAddress(address));
    assert.deepEqual(device.peers(), [`${key} ${address}/128`]);
    assert.deepEqual(
      [answer.serverEndpoint, answer.serverPublicKey, answer.serverAddress, answer.grpcPeerAddrPort],
      [['10.0.0.1:51821'], identity.publicKey, identity.serverAddress, ''],
    );
  });

  it('keeps the address and replaces the peer in one request when a machine comes with a new key', async () => {
    const { device, provision } = await setUp();
    const [before, now] = [newKey(), newKey()];
    const first = await provision({ nodeUuid: UUID, nodePublicKey: before });
    const second = await provision({ nodeUuid: UUID, nodePublicKey: now });
    assert.equal(second.nodeAddressPrefix, first.nodeAddressPrefix);
    assert.deepEqual(
      device.updates
        .at(-1)
        ?.peers?.map((peer) => peer.publicKey)
        .toSorted(),
      [before, now].toSorted(),
    );
    const count = device.updates.length;
    await provision({ nodeUuid: UUID, nodePublicKey: now });
    assert.equal(device.updates.length, count, 'the same key again changes nothing');
  });

  it('stores the key that was answered last when many come at once', async () => {
    const { client, provision, device } = await setUp();
    let last = '';
    await Promise.all(
      Array.from({ length: 20 }, newKey).map(async (key) => {
        await provision({ nodeUuid: UUID, nodePublicKey: key });
        last = key;
      }),
    );
    const { spec } = await client.get(serverBinding, { name: UUID });
    assert.equal(spec?.siderolink?.publicKey, last);
    assert.equal(device.peers().length, 1);
  });

  it('refuses what it cannot serve, and stores nothing', async () => {
    const { client, provision } = await setUp();
    const key = newKey();
    await provision({ nodeUuid: OTHER, nodePublicKey: key });
    await assert.rejects(provision({ nodeUuid: UUID, nodePublicKey: 'x' }), status('INVALID_ARGUMENT'));
    await assert.rejects(provision({ nodeUuid: UUID, nodePublicKey: key }), status('ALREADY_EXISTS'));
    await assert.rejects(provision({ nodeUuid: 'nobody', nodePublicKey: newKey() }), status('NOT_FOUND'));
    assert.equal((await client.get(serverBinding, { name: UUID })).spec?.siderolink, undefined);
  });

  it('removes the peer with its binding, and a late cache undoes nothing', async () => {
    const { client, provision, peers, device } = await setUp();
    const old = await client.get(serverBinding, { name: UUID });
    await provision({ nodeUuid: UUID, nodePublicKey: newKey() });
    await peers.put(old);
    assert.equal(device.peers().length, 1);
    await peers.remove(await client.get(serverBinding, { name: UUID }));
    assert.deepEqual(device.peers(), []);
  });
});

describe('the Secret siderolink', () => {
  it('is made once and read afterwards', async () => {
    const client = createMemoryClient();
    const first = await loadLinkIdentity(client);
    assert.deepEqual(await loadLinkIdentity(client), first);
    const stored = await client.get(secret, { name: 'siderolink', namespace: 'default' });
    assert.deepEqual(stored.metadata.labels, { 'clusterctl.cluster.x-k8s.io/move': '' });
    assert.equal(
      Buffer.from(Buffer.from(stored.data?.['private-key'] ?? '', 'base64').toString(), 'base64').length,
      32,
    );
  });

  it('is never replaced when it is damaged', async () => {
    const metadata = { name: 'siderolink', namespace: 'default' };
    const object = { apiVersion: 'v1', kind: 'Secret', metadata, data: { 'private-key': 'eA==' } };
    const client = createMemoryClient({ objects: [{ kind: secret, object }] });
    await assert.rejects(loadLinkIdentity(client), { code: 'BLM_LINK_SECRET_INVALID' });
  });
});
