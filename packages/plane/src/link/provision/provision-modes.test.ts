import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ANNOTATIONS, server, serverBinding } from '@bloomery/model';
import { createFakeClock } from '@bloomery/ports';
import { virtualAddress } from '@bloomery/siderolink';
import fc from 'fast-check';
import { newKey, startProvisionLab, status, until } from '../testing/provision-lab.ts';

const A = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const B = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';

describe('the tunnel', () => {
  it('is given to machines that ask for it, with an address that follows from the key, and taken from those that do not', async () => {
    await using plane = await startProvisionLab({ bindings: [A] });
    const nodePublicKey = newKey();
    const mode = async () => (await plane.binding(A)).metadata.annotations?.[ANNOTATIONS.siderolinkMode];
    const asked = await plane.provision(A, { nodePublicKey, wireguardOverGrpc: true });
    const virtual = virtualAddress(plane.identity.privateKey, nodePublicKey);
    assert.deepEqual([asked.grpcPeerAddrPort, asked.serverEndpoint], [virtual, [virtual]]);
    assert.equal(await mode(), 'tunnel');
    const again = await plane.provision(A, { nodePublicKey, wireguardOverGrpc: true });
    assert.equal(again.grpcPeerAddrPort, virtual, 'the same key keeps it');
    const other = await plane.provision(A, { wireguardOverGrpc: true });
    assert.notEqual(other.grpcPeerAddrPort, virtual, 'another key has another');
    const plain = await plane.provision(A);
    assert.deepEqual([plain.grpcPeerAddrPort, plain.serverEndpoint], ['', ['10.0.0.1:51821']]);
    assert.equal(await mode(), undefined);
    assert.deepEqual(
      plane.timeline.map(({ facts }) => facts?.['mode']),
      ['tunnel', 'udp'],
    );
    assert.doesNotMatch(JSON.stringify(plane.timeline), /9304:/, 'no virtual address is told');
  });

  const cases: [policy: 'auto' | 'force' | 'off', annotation: string | undefined, asked: boolean, want: boolean][] = [
    ['auto', undefined, false, false],
    ['auto', 'true', false, true],
    ['auto', 'false', true, true],
    ['force', undefined, false, true],
    ['off', 'true', true, false],
  ];
  for (const [tunnelPolicy, annotation, wireguardOverGrpc, want] of cases) {
    it(`with policy ${tunnelPolicy}, annotation ${annotation} and ${wireguardOverGrpc ? 'a' : 'no'} wish is ${want ? 'on' : 'off'}`, async () => {
      await using plane = await startProvisionLab({ bindings: [A], settings: { tunnelPolicy } });
      const annotations = annotation === undefined ? {} : { [ANNOTATIONS.siderolinkTunnel]: annotation };
      await plane.add(server, A, { spec: { accepted: true } });
      await plane.client.patch(server, { name: A }, { type: 'merge', body: { metadata: { annotations } } });
      await until('the cache follows', () => {
        const found = plane.cache.get(server, { name: A });
        return found !== undefined && found.metadata.annotations?.[ANNOTATIONS.siderolinkTunnel] === annotation;
      });
      const answer = await plane.provision(A, wireguardOverGrpc ? { wireguardOverGrpc } : {});
      assert.equal(answer.grpcPeerAddrPort !== '', want);
    });
  }

  it('is refused to machines that must use it and are known to be too old', async () => {
    await using plane = await startProvisionLab({ bindings: [A], settings: { tunnelPolicy: 'force' } });
    await assert.rejects(plane.provision(A, { talosVersion: 'v1.6.8' }), status('FAILED_PRECONDITION'));
    assert.equal((await plane.binding(A)).spec?.siderolink, undefined);
    for (const talosVersion of ['v1.7.0', 'v1.13.0-alpha.1', 'dirty', '']) await plane.provision(A, { talosVersion });
    await plane.provision(A, { talosVersion: 'v1.6.8', wireguardOverGrpc: true });
  });
});

describe('Provision', () => {
  it('refuses names that are none, keys that are none, its own key, and the key of another machine', async () => {
    await using plane = await startProvisionLab({ bindings: [A, B] });
    const key = newKey();
    await plane.provision(B, { nodePublicKey: key });
    for (const uuid of ['', ' ', 'a/b', '../x', 'ä', '-a', 'a'.repeat(254), `${A}\n`]) {
      await assert.rejects(plane.provision(uuid), status('INVALID_ARGUMENT'), JSON.stringify(uuid));
    }
    for (const nodePublicKey of ['', 'x', ` ${key}`, key.slice(1), plane.identity.publicKey]) {
      await assert.rejects(plane.provision(A, { nodePublicKey }), status('INVALID_ARGUMENT'), nodePublicKey);
    }
    await assert.rejects(plane.provision(A, { nodePublicKey: key }), status('ALREADY_EXISTS'));
    await assert.rejects(plane.provision('0'.repeat(36)), status('NOT_FOUND'));
    assert.equal((await plane.binding(A)).spec?.siderolink, undefined);
  });

  for (const requireTokens of [false, true]) {
    it(`answers any texts with a refusal that is meant, tokens ${requireTokens ? '' : 'not '}required`, async () => {
      await using plane = await startProvisionLab({ bindings: [A], requireTokens });
      const text = fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.constantFrom('', A, 'v1:', 'm.', 'm.x'),
      );
      const meant = new Set(requireTokens ? ['PERMISSION_DENIED'] : ['INVALID_ARGUMENT', 'NOT_FOUND']);
      await fc.assert(
        fc.asyncProperty(text, text, text, text, text, async (uuid, nodePublicKey, joinToken, unique, talosVersion) => {
          const rest = { nodePublicKey, joinToken, nodeUniqueToken: unique, talosVersion };
          const status = await plane.provision(uuid, rest).then(
            () => 'OK',
            ({ facts }) => String(facts.status),
          );
          assert.ok(meant.has(status), status);
        }),
        { numRuns: 300, interruptAfterTimeLimit: 5_000 },
      );
      assert.equal((await plane.binding(A)).spec?.siderolink, undefined);
    });
  }

  it('gives one key to one machine only, when two bring it at once', async () => {
    await using plane = await startProvisionLab({ bindings: [A, B] });
    const nodePublicKey = newKey();
    const asked = await Promise.allSettled([A, B].map((name) => plane.provision(name, { nodePublicKey })));
    assert.deepEqual(asked.map(({ status: how }) => how).toSorted(), ['fulfilled', 'rejected']);
  });

  it('draws again when an address is taken, also by one that was only just drawn, or held by two', async () => {
    const names = Array.from({ length: 20 }, (_, i) => A.slice(0, -2) + (10 + i));
    await using plane = await startProvisionLab({ bindings: names });
    const siderolink = { address: 'fd00:0:0:3::9/64', publicKey: newKey() };
    for (const name of names.slice(0, 2)) {
      await plane.client.patch(serverBinding, { name }, { type: 'merge', body: { spec: { siderolink } } });
      await plane.peers.put(await plane.binding(name));
    }
    const answers = await Promise.all(names.map((name) => plane.provision(name)));
    assert.equal(new Set(answers.map(({ nodeAddressPrefix }) => nodeAddressPrefix)).size, names.length);
  });

  it('refuses what is above its bounds, and goes on below them', async () => {
    const names = Array.from({ length: 30 }, (_, i) => A.slice(0, -2) + (10 + i));
    await using plane = await startProvisionLab({
      bindings: names,
      settings: { limits: { total: 100, perAddress: 10 } },
    });
    const asked = await Promise.allSettled(names.map((name) => plane.provision(name)));
    const refused = asked.filter((one) => one.status === 'rejected').map(({ reason }) => reason.facts.status);
    assert.ok(refused.length >= 1 && refused.length <= 20, `${refused.length} refused`);
    assert.deepEqual(new Set(refused), new Set(['RESOURCE_EXHAUSTED']));
    for (const name of names) await plane.provision(name);
  });

  it('tells a machine that asks for ever once in ten minutes, and at once what is new', async () => {
    const clock = createFakeClock();
    await using plane = await startProvisionLab({ bindings: [A], clock });
    for (let i = 0; i < 20; i++) await plane.provision(A, { talosVersion: 'v1.13.0' });
    assert.equal(plane.timeline.length, 1);
    await clock.advance(600_000);
    await plane.provision(A, { talosVersion: 'v1.13.0' });
    assert.deepEqual(plane.timeline[1]?.facts?.['repeats'], 19);
    assert.match(plane.timeline[1]?.summary ?? '', /asked 19 more times since the last entry$/);
    await plane.provision(A, { talosVersion: 'v1.13.1' });
    assert.equal(plane.timeline.length, 3);
    for (let i = 0; i < 20; i++) await plane.provision(A, { talosVersion: `v1.13.${i % 10}` });
    assert.equal(plane.timeline.length, 7, 'at most six in ten minutes, beside the first');
  });

  it('notices that two machines take turns under one UUID, says so, and forgets it after a quiet hour', async () => {
    const clock = createFakeClock();
    await using plane = await startProvisionLab({ bindings: [A], clock });
    await plane.add(server, A, { spec: { accepted: true } });
    await until('the Server is in the cache', () => plane.cache.get(server, { name: A }) !== undefined);
    const condition = async () => (await plane.binding(A)).status?.conditions?.find((c) => c.type === 'UniqueIdentity');
    const [one, two] = [newKey(), newKey()];
    for (const nodePublicKey of [one, one, two, two]) await plane.provision(A, { nodePublicKey });
    assert.deepEqual(plane.events, []);
    for (const nodePublicKey of [one, two, one]) await plane.provision(A, { nodePublicKey });
    assert.deepEqual(plane.events, [{ about: `Server/${A}`, reason: 'DuplicateIdentity' }]);
    await until('the condition is there', async () => (await condition())?.status === 'False');
    await clock.advance(3_600_000);
    await plane.provision(A);
    await until('the condition is gone', async () => (await condition()) === undefined);
  });
});

describe('endpoints', () => {
  it('are told as addresses, several in order, names looked up again, IPv6 in brackets', async () => {
    const clock = createFakeClock();
    let addresses: readonly string[] = ['10.0.0.7', 'fd00::7'];
    let asked = 0;
    await using plane = await startProvisionLab({
      bindings: [A],
      clock,
      settings: {
        endpoints: () => ['10.0.0.1:1', '[fd00::1]:2', 'plane.test:3', '10.0.0.7:3', 'nowhere.test:4'],
        lookup: async (host) => {
          asked += 1;
          if (host === 'nowhere.test') throw new Error('ENOTFOUND');
          return addresses;
        },
      },
    });
    const wanted = ['nowhere.test:4', '[fd00::1]:2', '10.0.0.7:3', '[fd00::7]:3', '10.0.0.1:1'];
    assert.deepEqual((await plane.provision(A)).serverEndpoint, wanted, 'first and last are swapped on the wire');
    await plane.provision(A);
    assert.equal(asked, 2);
    addresses = ['10.0.0.8'];
    await clock.advance(30_000);
    assert.deepEqual((await plane.provision(A)).serverEndpoint.slice(2, 4), ['10.0.0.8:3', '10.0.0.7:3']);
    addresses = [];
    await clock.advance(30_000);
    assert.equal(
      (await plane.provision(A)).serverEndpoint[2],
      '10.0.0.8:3',
      'the last answer, where there is no new one',
    );
  });
  it('are not waited for when the resolver hangs', async () => {
    const clock = createFakeClock();
    const asked = Promise.withResolvers<void>();
    const lookup = (): Promise<never> => {
      asked.resolve();
      return new Promise(() => {});
    };
    const settings = { endpoints: () => ['plane.test:3'], lookup };
    await using plane = await startProvisionLab({ bindings: [A], clock, settings });
    const answer = plane.provision(A);
    await asked.promise;
    await clock.advance(2_000);
    assert.deepEqual((await answer).serverEndpoint, ['plane.test:3']);
  });
});
