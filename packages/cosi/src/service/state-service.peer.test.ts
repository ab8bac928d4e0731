import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock, until } from '@bloomery/ports';
import { createState } from '../memory/create-state.ts';
import { NamespaceResource, ResourceDefinitionResource } from '../meta/resource-definition-resource.ts';
import { defineResource } from '../resource-definition.ts';
import { text } from '../spec/field.ts';
import type { State } from '../state.ts';
import { type CosiClient, cosiClientMissing, type PeerEvent, serveState, startCosiClient } from '../testing/index.ts';

/** A type that the real client knows. */
const Cache = defineResource({
  type: 'DNSResolveCaches.net.talos.dev',
  namespace: 'network',
  spec: { status: text(1) },
});
const kind = { namespace: 'network', type: Cache.type };

interface Peers extends AsyncDisposable {
  readonly state: State;
  readonly client: CosiClient;
}

async function start(historyMax = 64): Promise<Peers> {
  const state = createState({ clock: createFakeClock(1_700_000_000_000), historyMax });
  state.register(Cache);
  const served = await serveState(state);
  const client = startCosiClient(served.address);
  return {
    state,
    client,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await served[Symbol.asyncDispose]();
    },
  };
}

const eventText = ({ type, item }: PeerEvent): string => `${type} ${item?.id ?? ''}@${item?.version ?? ''}`;
const update = (state: State, id: string, status: string): void => {
  state.update(Cache, id, { status }, { version: state.get(Cache, id)?.metadata.version ?? 0 });
};

describe('the real client of COSI', { skip: cosiClientMissing() }, () => {
  it('gets and lists resources with all their metadata', async () => {
    await using peers = await start();
    const { state, client } = peers;
    state.create(Cache, 'a', { status: 'running' }, { owner: 'net.Controller', labels: { tier: 'one' } });
    state.addFinalizer(Cache, 'a', 'holder');
    const a = { id: 'a', version: '2', phase: 'running', owner: 'net.Controller', labels: { tier: 'one' } };
    const expected = [{ ...a, finalizers: ['holder'], yaml: 'status: running\n' }];
    assert.deepEqual(await client.ask({ do: 'get', ...kind, id: 'a' }), expected);
    assert.deepEqual(await client.ask({ do: 'list', ...kind }), expected);
  });

  it('tells what is not there, what is unknown and what may not be written from each other', async () => {
    await using peers = await start();
    const { client } = peers;
    await assert.rejects(client.ask({ do: 'get', ...kind, id: 'a' }), /^Error: notFound: .*doesn't exist/);
    await assert.rejects(client.ask({ do: 'list', ...kind, type: 'Nones.test' }), /PermissionDenied.*not supported/);
    await assert.rejects(client.ask({ do: 'destroy', ...kind, id: 'a' }), /owner: .*write access is not allowed/);
  });

  it('filters by labels and ids', async () => {
    await using peers = await start();
    const { state, client } = peers;
    for (const [id, labels] of Object.entries({ a1: { size: '1Ki' }, a2: { size: '2Ki', big: 'yes' }, b1: {} }))
      state.create(Cache, id, { status: '' }, { labels });
    const ids = async (query: object): Promise<string[]> =>
      (await client.ask({ do: 'list', ...kind, ...query })).map(({ id }) => id);
    assert.deepEqual(await ids({ idQuery: '^a' }), ['a1', 'a2']);
    assert.deepEqual(await ids({ label: 'size' }), ['a1', 'a2']);
    assert.deepEqual(await ids({ labelEqual: ['big', 'yes'] }), ['a2']);
    assert.deepEqual(await ids({ labelLess: ['size', '1500'] }), ['a1']);
  });

  it('reads definitions and namespaces', async () => {
    await using peers = await start();
    const meta = { namespace: 'meta', type: ResourceDefinitionResource.type };
    const [definition] = await peers.client.ask({ do: 'get', ...meta, id: Cache.type.toLowerCase() });
    const { spec } = peers.state.get(ResourceDefinitionResource, Cache.type.toLowerCase()) ?? {};
    assert.ok(spec);
    assert.equal(definition?.yaml, ResourceDefinitionResource.codec.toYaml(spec));
    const namespaces = await peers.client.ask({ do: 'list', namespace: 'meta', type: NamespaceResource.type });
    assert.deepEqual(
      namespaces.map(({ id }) => id),
      ['meta', 'network'],
    );
  });

  for (const aggregated of [false, true]) {
    it(`watches a kind in order${aggregated ? ', many events at once' : ''}, and goes on from a bookmark`, async () => {
      await using peers = await start();
      const { state, client } = peers;
      state.create(Cache, 'old', { status: '0' });
      const watch = await client.watch({ do: 'watchKind', ...kind, bootstrap: true, noop: true, aggregated });
      state.create(Cache, 'a', { status: '0' });
      update(state, 'a', '1');
      state.teardown(Cache, 'a');
      state.destroy(Cache, 'a');
      await until('the end is told', () => watch.events().some(({ type }) => type === 'Destroyed'));
      assert.deepEqual(watch.events().map(eventText), [
        'Created old@1',
        'Bootstrapped @undefined',
        'Noop @undefined',
        'Created a@1',
        'Updated a@2',
        'Updated a@3',
        'Destroyed a@3',
      ]);
      const [created, updated] = watch.events().slice(3);
      assert.equal(updated?.old?.yaml, created?.item?.yaml);
      assert.equal(watch.events().at(-1)?.item?.yaml, 'status: "1"\n');

      const bookmark = created?.bookmark ?? '';
      const rest = await client.watch({ do: 'watchKind', ...kind, bookmark, aggregated });
      await until('the rest is told', () => rest.events().length === 3);
      assert.deepEqual(rest.events().map(eventText), ['Updated a@2', 'Updated a@3', 'Destroyed a@3']);
      await watch.cancel();
    });
  }

  it('watches one resource, also before it is there', async () => {
    await using peers = await start();
    const { state, client } = peers;
    const watch = await client.watch({ do: 'watch', ...kind, id: 'a' });
    state.create(Cache, 'b', { status: 'other' });
    state.create(Cache, 'a', { status: 'x' });
    await until('both are told', () => watch.events().length === 2);
    assert.deepEqual(watch.events().map(eventText), ['Destroyed a@undefined', 'Created a@1']);
    const tail = await client.watch({ do: 'watch', ...kind, id: 'a', tail: 5 });
    await until('the last events are told', () => tail.events().length === 1);
    assert.deepEqual(tail.events().map(eventText), ['Created a@1']);
  });

  it('is told of a bookmark that the history no longer reaches', async () => {
    await using peers = await start(8);
    const { state, client } = peers;
    const watch = await client.watch({ do: 'watchKind', ...kind });
    state.create(Cache, 'a', { status: '0' });
    await until('it is told', () => watch.events().length === 1);
    for (let i = 1; i < 12; i++) update(state, 'a', String(i));
    const bookmark = watch.events()[0]?.bookmark ?? '';
    await assert.rejects(client.watch({ do: 'watchKind', ...kind, bookmark }), /bookmark: .*invalid watch bookmark/);
  });

  it('sees a thousand changes in the order of the writes, none lost', async () => {
    await using peers = await start(1024);
    const { state, client } = peers;
    const watch = await client.watch({ do: 'watchKind', ...kind });
    state.create(Cache, 'a', { status: '0' });
    for (let i = 1; i < 1000; i++) {
      update(state, 'a', String(i));
      if (i % 100 === 0) await until('it keeps up', () => watch.events().length > i - 50);
    }
    await until('all are told', () => watch.events().length === 1000);
    assert.deepEqual(
      watch.events().map(({ item }) => item?.version),
      Array.from({ length: 1000 }, (_, i) => String(i + 1)),
    );
  });
});
