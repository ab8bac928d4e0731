import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject, KubeObject } from '@bloomery/model';
import { talosConfig, talosConfigV1alpha3 } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { apiError } from './api-error.ts';
import { createFollowedKinds } from './followed-kinds.ts';
import { createKindResolver } from './kind-definitions.ts';
import type { TypeChange } from './kind-resolver.ts';
import { createObjectCache } from './memory-cache.ts';
import { createMemoryClient } from './testing/memory-client.ts';

const CRDS = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  scope: 'Cluster',
} as const;
const GROUP = 'infrastructure.cluster.x-k8s.io';

interface DefinitionOptions {
  readonly kind?: string;
  readonly plural?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly versions?: readonly string[];
  readonly established?: boolean;
}

const definition = (options: DefinitionOptions = {}): KubeObject => {
  const { kind = 'Ox', plural = 'oxen', labels = {}, versions = ['v1beta1'], established = true } = options;
  const body: JsonObject = {
    spec: {
      group: GROUP,
      names: { kind, plural },
      scope: 'Namespaced',
      versions: versions.map((name, i) => ({ name, served: true, storage: i === 0 })),
    },
    status: { conditions: [{ type: 'Established', status: established ? 'True' : 'False' }] },
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}`, labels },
    ...body,
  } as KubeObject;
};

const settle = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

function start(...definitions: readonly KubeObject[]) {
  const clock = createFakeClock(1_700_000_000_000);
  const client = createMemoryClient({ clock, objects: definitions.map((object) => ({ kind: CRDS, object })) });
  const stop = new AbortController();
  const cache = createObjectCache();
  const deps = { client, clock, log: silentLog, random: () => 0, standing: [talosConfig, talosConfigV1alpha3] };
  const resolver = createKindResolver(deps, stop.signal);
  const followed = createFollowedKinds({ ...deps, cache, resolver }, stop.signal);
  const install = async (object: KubeObject): Promise<void> => {
    await client.create(CRDS, object);
    const { status } = object as unknown as { status: JsonObject };
    await client.patch(CRDS, object.metadata, { type: 'merge', body: { status } }, { subresource: 'status' });
    await settle();
  };
  return { client, clock, stop, cache, resolver, followed, install };
}

const ref = (version = 'v1beta1', kind = 'Ox') => ({ apiVersion: `${GROUP}/${version}`, kind, name: 'x' });

describe('the kind behind a reference', () => {
  const versions = ['v1alpha3', 'v1alpha4', 'v1beta1', 'v1'];
  const cases: [name: string, labels: Record<string, string>, wished: string, version: string, contract: string][] = [
    ['without labels the version is the one of the reference', {}, 'v1alpha4', 'v1alpha4', 'v1beta1'],
    ['a version that is not served falls back to the stored one', {}, 'v7', 'v1alpha3', 'v1beta1'],
    [
      'the label of the contract decides, the newest of the versions that it names',
      { 'cluster.x-k8s.io/v1beta1': 'v1alpha4_v1beta1_v9' },
      'v1alpha3',
      'v1beta1',
      'v1beta1',
    ],
    [
      'the newest contract is preferred',
      { 'cluster.x-k8s.io/v1beta1': 'v1beta1', 'cluster.x-k8s.io/v1beta2': 'v1' },
      'v1beta1',
      'v1',
      'v1beta2',
    ],
    [
      'an older contract has the fields of v1beta1',
      { 'cluster.x-k8s.io/v1alpha3': 'v1alpha3' },
      'v1',
      'v1alpha3',
      'v1beta1',
    ],
  ];
  for (const [name, labels, wished, version, contract] of cases) {
    it(name, async () => {
      const { resolver, stop } = start(definition({ labels, versions }));
      const found = await resolver.resolve(ref(wished));
      assert.deepEqual(found, {
        kind: { group: GROUP, version, kind: 'Ox', plural: 'oxen', scope: 'Namespaced' },
        contract,
        served: ['v1', 'v1beta1', 'v1alpha4', 'v1alpha3'],
      });
      stop.abort();
    });
  }

  it('is found by the group alone too, as references of v1beta2 name it', async () => {
    const { resolver, stop } = start(definition());
    assert.equal((await resolver.resolve({ apiGroup: GROUP, kind: 'Ox' }))?.kind.plural, 'oxen');
    assert.equal(await resolver.resolve({ apiGroup: 'else', kind: 'Ox' }), undefined);
    stop.abort();
  });

  it('is found where the API has no definitions, by the kinds of the product', async () => {
    const { resolver, stop } = start();
    const found = await resolver.resolve({ apiVersion: 'bootstrap.cluster.x-k8s.io/v1alpha3', kind: 'TalosConfig' });
    assert.equal(found?.kind.version, 'v1beta1');
    assert.equal(found?.contract, 'v1beta2');
    stop.abort();
  });

  it('comes and goes with its definition, and who listens is told', async () => {
    const { resolver, client, install, stop } = start();
    const told: TypeChange[] = [];
    resolver.listen((change) => told.push(change));
    assert.equal(await resolver.resolve(ref()), undefined);
    await install(definition({ established: false }));
    assert.equal(await resolver.resolve(ref()), undefined, 'not before it is served');
    await client.patch(
      CRDS,
      { name: `oxen.${GROUP}` },
      { type: 'merge', body: { status: { conditions: [{ type: 'Established', status: 'True' }] } } },
      { subresource: 'status' },
    );
    await settle();
    assert.equal((await resolver.resolve(ref()))?.kind.plural, 'oxen');
    await client.delete(CRDS, { name: `oxen.${GROUP}` });
    await settle();
    assert.equal(await resolver.resolve(ref()), undefined);
    assert.deepEqual(told, [
      { group: GROUP, kind: 'Ox', served: ['v1beta1'] },
      { group: GROUP, kind: 'Ox', served: [] },
    ]);
    stop.abort();
  });

  it('is not looked for any more once we stop', async () => {
    const clock = createFakeClock(0);
    const client = createMemoryClient({
      clock,
      intercept() {
        throw new Error('down');
      },
    });
    const stop = new AbortController();
    const resolver = createKindResolver({ client, clock, log: silentLog, random: () => 0 }, stop.signal);
    const asked = resolver.resolve(ref());
    stop.abort();
    await assert.rejects(asked, { code: 'BLM_API_UNAVAILABLE' });
  });
});

describe('followed kinds', () => {
  const kind = { group: GROUP, version: 'v1beta1', kind: 'Ox', plural: 'oxen', scope: 'Namespaced' } as const;
  const ox = (name: string): KubeObject => ({
    apiVersion: `${GROUP}/v1beta1`,
    kind: 'Ox',
    metadata: { name, namespace: 'default' },
  });
  const watching = (followed: ReturnType<typeof start>['followed']): string[] => {
    const seen: string[] = [];
    followed.listen((object, gone) => seen.push(`${object.metadata.name}${gone ? ' gone' : ''}`));
    return seen;
  };

  it('are in the cache when following resolves, and every later change is told', async () => {
    const { client, followed, cache, stop } = start(definition());
    await client.create(kind, ox('a'));
    const seen = watching(followed);
    await followed.follow(kind);
    assert.deepEqual(cache.list(kind).length, 1);
    await followed.follow(kind);
    await client.create(kind, ox('b'));
    await client.delete(kind, { name: 'a', namespace: 'default' });
    await settle();
    assert.deepEqual(seen, ['a', 'b', 'a gone']);
    stop.abort();
  });

  it('are gone with their type, and come back with it', async () => {
    const { client, followed, cache, install, stop } = start(definition());
    await client.create(kind, ox('a'));
    const seen = watching(followed);
    await followed.follow(kind);
    await client.delete(CRDS, { name: `oxen.${GROUP}` });
    await settle();
    assert.deepEqual(seen, ['a', 'a gone']);
    assert.equal(cache.list(kind).length, 0);
    await install(definition());
    await followed.follow(kind);
    assert.deepEqual(seen, ['a', 'a gone', 'a']);
    stop.abort();
  });

  it('that may not be read are said so instead of waited for, and are there once they may', async () => {
    let isForbidden = true;
    const intercept = (verb: string, { kind: name }: { kind: string }): void => {
      if (!isForbidden || verb !== 'list' || name !== 'Ox') return;
      throw apiError({ code: 403, reason: 'Forbidden', message: 'oxen is forbidden' });
    };
    const clock = createFakeClock(0);
    const client = createMemoryClient({ clock, intercept, objects: [{ kind: CRDS, object: definition() }] });
    const stop = new AbortController();
    const deps = { client, clock, log: silentLog, random: () => 0, cache: createObjectCache() };
    const followed = createFollowedKinds({ ...deps, resolver: createKindResolver(deps, stop.signal) }, stop.signal);
    await assert.rejects(followed.follow(kind), { code: 'BLM_API_FORBIDDEN' });
    await assert.rejects(followed.follow(kind), { code: 'BLM_API_FORBIDDEN' });
    isForbidden = false;
    const seen = watching(followed);
    await client.create(kind, ox('a'));
    await clock.advance(30_000);
    await settle();
    await followed.follow(kind);
    assert.deepEqual(seen, ['a']);
    stop.abort();
  });

  it('that somebody else keeps in the cache are only listened to', async () => {
    const { client, followed, cache, stop } = start(definition());
    assert.equal(cache.claim(kind), true);
    await client.create(kind, ox('a'));
    const seen = watching(followed);
    await followed.follow(kind);
    await settle();
    assert.equal(cache.list(kind).length, 0);
    cache.put(kind, ox('mine'));
    assert.deepEqual(seen, ['mine']);
    stop.abort();
  });
});
