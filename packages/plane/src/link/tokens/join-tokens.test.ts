import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createMemoryClient, type MemoryClient } from '@bloomery/kube/testing';
import { ANNOTATIONS, secret, server } from '@bloomery/model';
import { createFakeClock, silentLog, systemClock } from '@bloomery/ports';
import { createLinkApiOf } from '../provision/link-api-of.ts';
import { newKey, startProvisionLab, status, until } from '../testing/provision-lab.ts';
import {
  createJoinToken,
  listJoinTokens,
  pinJoinToken,
  resetUniqueToken,
  revokeJoinToken,
} from './edit-join-tokens.ts';
import { followJoinTokens } from './join-tokens.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
const C = '6b121f82-24a8-4611-9d23-fa1a5ba564f2';
const random = (length: number): Uint8Array => randomBytes(length);
const from = { clock: systemClock, random };
const DENIED = status('PERMISSION_DENIED');

const lab = (bindings: readonly string[] = [A, B, C]) => startProvisionLab({ bindings, requireTokens: true });

describe('join tokens that are required', () => {
  it('refuse with one message, before anything is looked up, whoever asks and whatever is wrong', async () => {
    await using plane = await lab([A]);
    const unique = { nodeUniqueToken: 'u' };
    const { token } = await createJoinToken(plane.client, { name: 'pinned', pin: B }, from);
    const asks = [
      plane.provision(A),
      plane.provision(A, { joinToken: '' }),
      plane.provision(A, { joinToken: 'wrong' }),
      plane.provision(A, { joinToken: 'wrong', ...unique }),
      plane.provision(A, { joinToken: token }),
      plane.provision(C, { joinToken: 'wrong' }),
      plane.provision('not a uuid!', { joinToken: 'wrong' }),
      plane.provision('', { joinToken: 'wrong' }),
      plane.provision(A, { joinToken: 'wrong', nodePublicKey: 'no key' }),
      plane.provision('x'.repeat(10_000), { joinToken: 'y'.repeat(100_000) }),
    ];
    const refusals = await Promise.all(
      asks.map((ask) =>
        ask.then(
          () => undefined,
          (error: Error) => error,
        ),
      ),
    );
    assert.deepEqual(
      new Set(refusals.map((error) => error?.message)),
      new Set(['/sidero.link.ProvisionService/Provision: invalid join token']),
    );
    assert.equal((await plane.binding(A)).spec?.siderolink, undefined);
    assert.equal(
      plane.timeline.filter(({ event }) => event === 'LinkRefused').length,
      3,
      'one for each reason: missing, unknown, pinned',
    );
  });

  it('let machines in from the moment they are made until they are revoked, and are named at the binding', async () => {
    await using plane = await lab();
    const { token } = await createJoinToken(plane.client, { name: 'rack' }, from);
    await plane.provision(A, { joinToken: token });
    assert.equal((await plane.binding(A)).metadata.annotations?.[ANNOTATIONS.siderolinkJoinToken], 'rack');
    await assert.rejects(
      plane.provision('6b121f82-24a8-4611-9d23-fa1a5ba564ff', { joinToken: token }),
      status('NOT_FOUND'),
    );
    await assert.rejects(plane.provision('no uuid', { joinToken: token }), status('INVALID_ARGUMENT'));
    await revokeJoinToken(plane.client, 'rack', { clock: systemClock, forget: false });
    await until('revoked', () =>
      plane.provision(B, { joinToken: token }).then(
        () => false,
        () => true,
      ),
    );
  });

  it('are counted durably, one use for a machine however often it comes, also when all come at once', async () => {
    const names = Array.from({ length: 12 }, (_, i) => A.slice(0, -2) + (10 + i));
    await using plane = await lab(names);
    const { token } = await createJoinToken(plane.client, { name: 'three', uses: 3 }, from);
    const twice = [...names, ...names];
    const asked = await Promise.all(
      twice.map((name) =>
        plane.provision(name, { joinToken: token }).then(
          () => name,
          () => undefined,
        ),
      ),
    );
    const joined = new Set(asked.filter((name) => name !== undefined));
    assert.equal(joined.size, 3);
    const [kept] = (await listJoinTokens(plane.client)).tokens;
    assert.deepEqual(new Set(kept?.usedBy), joined);
    const [one = ''] = joined;
    await plane.provision(one, { joinToken: token });
    const loser = names.find((name) => !joined.has(name)) ?? '';
    await assert.rejects(plane.provision(loser, { joinToken: token }), DENIED);
    assert.equal((await plane.binding(loser)).spec?.siderolink, undefined);
  });

  it('are told on the timeline as they change: refused after joined, joined after refused, six times in ten minutes', async () => {
    await using plane = await lab();
    const { token: joinToken } = await createJoinToken(plane.client, { name: 'rack' }, from);
    const told = (): string[] => plane.timeline.map(({ event }) => event.replace('Link', ''));
    const refuse = () => assert.rejects(plane.provision(A, { joinToken: 'wrong' }), DENIED);
    for (let i = 0; i < 3; i++) await refuse();
    for (let i = 0; i < 3; i++) await plane.provision(A, { joinToken });
    await refuse();
    assert.deepEqual(told(), ['Refused', 'Provisioned', 'Refused']);
    assert.match(plane.timeline[1]?.summary ?? '', /asked 2 more times since the last entry$/);
    for (let i = 0; i < 10; i++) {
      await plane.provision(A, { joinToken });
      await refuse();
    }
    assert.equal(told().length, 6);
    assert.doesNotMatch(JSON.stringify(plane.timeline), new RegExp(joinToken));
  });

  it('follow pins', async () => {
    await using plane = await lab();
    const { token } = await createJoinToken(plane.client, { name: 'free' }, from);
    await plane.provision(A, { joinToken: token });
    await pinJoinToken(plane.client, 'free', B.toUpperCase());
    await until('pinned', () =>
      plane.provision(A, { joinToken: token }).then(
        () => false,
        () => true,
      ),
    );
    await plane.provision(B, { joinToken: token });
  });

  it('cost a machine nothing that has the token the plane gave to it, which is good for no other', async () => {
    await using plane = await lab();
    const linkApi = createLinkApiOf({ tls: true, tunnelPolicy: 'force', cache: plane.cache, tokens: plane.tokens });
    const { joinToken = '', tls, tunnel } = linkApi(A);
    assert.deepEqual([tls, tunnel, joinToken.length], [true, true, 45]);
    await plane.provision(A, { joinToken });
    await assert.rejects(plane.provision(B, { joinToken }), DENIED);
    assert.equal((await listJoinTokens(plane.client)).tokens.length, 0);
  });
});

describe('unique tokens', () => {
  it('keep a machine in when its join token is revoked', async () => {
    await using plane = await lab();
    const { token: joinToken } = await createJoinToken(plane.client, { name: 'rack' }, from);
    await plane.provision(A, { joinToken, nodeUniqueToken: 'mine' });
    const { metadata } = await plane.binding(A);
    assert.match(metadata.annotations?.[ANNOTATIONS.siderolinkUniqueToken] ?? '', /^sha256:[0-9a-f]{64}$/);
    await revokeJoinToken(plane.client, 'rack', { clock: systemClock, forget: true });
    await until('revoked', () =>
      plane.provision(B, { joinToken }).then(
        () => false,
        () => true,
      ),
    );
    await plane.provision(A, { joinToken, nodeUniqueToken: 'mine' });
    await assert.rejects(plane.provision(A, { joinToken, nodeUniqueToken: 'other' }), DENIED);
    await assert.rejects(plane.provision(A, { joinToken, nodeUniqueToken: '' }), DENIED);
  });

  it('bind a UUID to the first machine that says one, until the operator or a new allocation resets it', async () => {
    await using plane = await lab();
    await plane.add(server, A, { spec: { accepted: true } });
    await until('the Server is in the cache', () => plane.cache.get(server, { name: A }) !== undefined);
    const { token: joinToken } = await createJoinToken(plane.client, { name: 'rack' }, from);
    await plane.provision(A, { joinToken });
    const key = newKey();
    await plane.provision(A, { joinToken, nodePublicKey: key, nodeUniqueToken: 'first' });
    await assert.rejects(plane.provision(A, { joinToken, nodeUniqueToken: 'second' }), DENIED);
    assert.equal((await plane.binding(A)).spec?.siderolink?.publicKey, key);
    assert.deepEqual(plane.events, [{ about: `Server/${A}`, reason: 'DuplicateIdentity' }]);
    await until('the condition is there', async () => {
      const conditions = (await plane.binding(A)).status?.conditions ?? [];
      return conditions.some(
        (c) => c.type === 'UniqueIdentity' && c.status === 'False' && c.reason === 'DuplicateIdentity',
      );
    });
    await plane.provision(A, { joinToken, nodeUniqueToken: '' });
    await assert.rejects(plane.provision(A, { joinToken, nodeUniqueToken: 'second' }), DENIED);
    assert.equal(await resetUniqueToken(plane.client, A), true);
    assert.equal(await resetUniqueToken(plane.client, A), false);
    await plane.provision(A, { joinToken, nodeUniqueToken: 'second' });
    await assert.rejects(plane.provision(A, { joinToken, nodeUniqueToken: 'first' }), DENIED);
  });

  it('are not looked at where tokens are not required', async () => {
    await using plane = await startProvisionLab({ bindings: [A] });
    for (const nodeUniqueToken of ['one', 'two']) await plane.provision(A, { joinToken: 'any', nodeUniqueToken });
    assert.equal((await plane.binding(A)).metadata.annotations, undefined);
  });
});

describe('a machine whose UUID does not say which Server it is', () => {
  it('is known by the token that the plane gave to it, also where tokens are not required', async () => {
    await using plane = await startProvisionLab({ bindings: [A, 'derived'] });
    await plane.add(server, A, { spec: { accepted: true } });
    const made = await plane.add(server, 'derived', { spec: { accepted: true } });
    const annotations = { [ANNOTATIONS.reportedUuid]: A };
    await plane.client.patch(
      server,
      { name: made.metadata.name },
      { type: 'merge', body: { metadata: { annotations } } },
    );
    const linkApi = createLinkApiOf({ tls: false, tunnelPolicy: 'auto', cache: plane.cache, tokens: plane.tokens });
    await until('it has a token', () => linkApi('derived').joinToken !== undefined);
    assert.equal(linkApi(A).joinToken, undefined);
    const own = await plane.provision(A);
    const derived = await plane.provision(A, { joinToken: linkApi('derived').joinToken ?? '' });
    assert.notEqual(own.nodeAddressPrefix, derived.nodeAddressPrefix);
    assert.equal((await plane.binding('derived')).spec?.siderolink?.address, derived.nodeAddressPrefix);
  });
});

describe('the Secret of the join tokens', () => {
  const KEY = { name: 'siderolink-join-tokens', namespace: 'default' };
  const follow = (client: MemoryClient, required = true) =>
    followJoinTokens({ required }, { client, clock: systemClock, log: silentLog, random });

  it('is made with a key for machines, moves with the cluster, and gives the same tokens again', async () => {
    const client = createMemoryClient();
    const first = await follow(client);
    const stored = await client.get(secret, KEY);
    assert.deepEqual(stored.metadata.labels, { 'clusterctl.cluster.x-k8s.io/move': '' });
    assert.equal(Buffer.from(stored.data?.['machine-key'] ?? '', 'base64').byteLength, 32);
    const token = first.machineToken(A);
    await first[Symbol.asyncDispose]();
    await using second = await follow(client);
    assert.equal(second.machineToken(A), token);
    assert.notEqual(second.machineToken(B), token);
  });
  it('is made anew when somebody deletes it, and nobody comes in with what was in it', async () => {
    const client = createMemoryClient();
    await using tokens = await follow(client);
    const { token } = await createJoinToken(client, { name: 'a' }, from);
    assert.equal((await tokens.judge(token, A)).ok, true);
    const own = tokens.machineToken(A);
    await client.delete(secret, KEY);
    await until('a new key', () => tokens.machineToken(A) !== own);
    assert.equal((await tokens.judge(token, A)).ok, false);
    assert.equal(tokens.ownerOf(own, [A]), undefined);
  });
  it('ends the start when its key is damaged', async () => {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: KEY, data: { 'machine-key': 'eA==' } };
    const client = createMemoryClient({ objects: [{ kind: secret, object }] });
    await assert.rejects(follow(client), { code: 'BLM_LINK_SECRET_INVALID' });
  });
  it('holds damaged tokens without harm', async () => {
    const client = createMemoryClient();
    await using tokens = await follow(client);
    await client.patch(secret, KEY, { type: 'merge', body: { data: { 'token.bad': 'eA==', other: 'eA==' } } });
    const { token } = await createJoinToken(client, { name: 'good' }, from);
    assert.equal((await tokens.judge(token, A)).ok, true);
    assert.deepEqual((await listJoinTokens(client)).damaged, ['bad']);
    await revokeJoinToken(client, 'bad', { clock: systemClock, forget: true });
    assert.deepEqual((await listJoinTokens(client)).damaged, []);
  });
  it('says where machines call and whether they need a token', async () => {
    const client = createMemoryClient();
    await using tokens = await follow(client, false);
    tokens.announce('grpc://10.0.0.1:8081');
    await until('announced', async () => (await listJoinTokens(client)).api === 'grpc://10.0.0.1:8081');
    assert.equal((await listJoinTokens(client)).required, false);
  });
  it('is not fought over by two managers', async () => {
    const client = createMemoryClient();
    await using one = await follow(client, true);
    await using other = await follow(client, false);
    for (const [tokens, api] of [
      [one, 'grpc://10.0.0.1:8081'],
      [other, 'grpc://10.0.0.2:8081'],
    ] as const) {
      tokens.announce(api);
      await until('announced', async () => (await listJoinTokens(client)).api === api);
    }
    const { token } = await createJoinToken(client, { name: 'a' }, from);
    for (const tokens of [one, other]) assert.equal((await tokens.judge(token, A)).ok, true);
    const revision = client.revision();
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(client.revision(), revision);
    assert.equal(one.machineToken(A), other.machineToken(A));
  });
  it('refuses wishes that cannot be', async () => {
    const client = createMemoryClient();
    const create = (wish: Parameters<typeof createJoinToken>[1]) => createJoinToken(client, wish, from);
    await create({ name: 'a' });
    await assert.rejects(create({ name: 'a' }), { code: 'BLM_API_ALREADY_EXISTS' });
    const usage = { code: 'BLM_CLI_USAGE' };
    for (const name of ['', 'A', 'a b']) await assert.rejects(create({ name }), usage);
    for (const uses of [0, -1, 1.5, 1_001]) await assert.rejects(create({ name: 'b', uses }), usage);
    await assert.rejects(create({ name: 'b', pin: 'x' }), usage);
    await assert.rejects(create({ name: 'b', expiresInMs: 0 }), usage);
    await assert.rejects(pinJoinToken(client, 'a', 'x'), usage);
    await assert.rejects(pinJoinToken(client, 'b', A), { code: 'BLM_CLI_NAME_UNKNOWN' });
    await assert.rejects(revokeJoinToken(client, 'b', { clock: systemClock, forget: false }), {
      code: 'BLM_CLI_NAME_UNKNOWN',
    });
  });
  it('lets a token expire by the clock', async () => {
    const clock = createFakeClock(Date.parse('2026-01-01T12:00:00Z'));
    const client = createMemoryClient();
    await using tokens = await followJoinTokens({ required: true }, { client, clock, log: silentLog, random });
    const { token, expires } = await createJoinToken(client, { name: 'a', expiresInMs: 60_000 }, { clock, random });
    assert.equal(expires, '2026-01-01T12:01:00Z');
    assert.equal((await tokens.judge(token, A)).ok, true);
    await clock.advance(60_000);
    assert.deepEqual(await tokens.judge(token, A), { ok: false, reason: 'expired' });
  });
});
