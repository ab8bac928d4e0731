import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createKindResolver, findObject } from '@bloomery/kube';
import { createMemoryClient } from '@bloomery/kube/testing';
import type { JsonObject, KindRef, KubeObject } from '@bloomery/model';
import { allKinds, metalMachine, metalMachineTemplate } from '@bloomery/model';
import { createFakeClock, isBloomeryError, silentLog } from '@bloomery/ports';
import { type CloneRequest, cloneTemplate } from './clone-template.ts';

const GROUP = 'infrastructure.cluster.x-k8s.io';
const owner = { apiVersion: 'cluster.x-k8s.io/v1beta1', kind: 'MachineSet', name: 'ms', uid: 'u' };
const request: CloneRequest = {
  ref: { apiVersion: `${GROUP}/v1alpha3`, kind: 'MetalMachineTemplate', name: 't' },
  namespace: 'default',
  name: 'ms-abcde',
  clusterName: 'c',
  labels: { a: 'given', b: 'given' },
  annotations: { n: 'given' },
  owner,
};
const template: JsonObject = {
  apiVersion: `${GROUP}/v1alpha3`,
  kind: 'MetalMachineTemplate',
  metadata: { name: 't', namespace: 'default' },
  spec: {
    template: {
      metadata: { labels: { a: 'template', c: 'template' }, annotations: { m: 'template' } },
      spec: { serverClassRef: { name: 'any' } },
    },
  },
};

function start(...objects: readonly { readonly kind: KindRef; readonly object: KubeObject }[]) {
  const clock = createFakeClock(1_700_000_000_000);
  const client = createMemoryClient({ clock, objects });
  const stop = new AbortController();
  const resolver = createKindResolver(
    { client, clock, log: silentLog, random: () => 0, standing: allKinds },
    stop.signal,
  );
  return {
    client,
    clone: (change: Partial<CloneRequest> = {}) => cloneTemplate({ client, resolver }, { ...request, ...change }),
    made: () => findObject(client, metalMachine, { name: request.name, namespace: 'default' }),
    [Symbol.dispose]: () => stop.abort(),
  };
}
const seed = { kind: metalMachineTemplate, object: template as unknown as KubeObject };

describe('an object made from a template', () => {
  it('has exactly the name, the spec, the labels and where it comes from', async () => {
    using w = start(seed);
    assert.deepEqual(await w.clone(), {
      apiVersion: `${GROUP}/v1alpha3`,
      kind: 'MetalMachine',
      name: 'ms-abcde',
      namespace: 'default',
    });
    const made = await w.made();
    assert.deepEqual(made?.spec, { serverClassRef: { name: 'any' } });
    assert.deepEqual(made?.metadata.labels, {
      a: 'given',
      b: 'given',
      c: 'template',
      'cluster.x-k8s.io/cluster-name': 'c',
    });
    assert.deepEqual(made?.metadata.annotations, {
      m: 'template',
      n: 'given',
      'cluster.x-k8s.io/cloned-from-name': 't',
      'cluster.x-k8s.io/cloned-from-groupkind': `MetalMachineTemplate.${GROUP}`,
    });
    assert.deepEqual(made?.metadata.ownerReferences, [owner]);
  });

  it('is made once: after a crash the one that is there counts', async () => {
    using w = start(seed);
    const first = await w.clone();
    assert.deepEqual(await w.clone(), first);
  });

  it('is found by a reference of v1beta2 too', async () => {
    using w = start(seed);
    const ref = { apiGroup: GROUP, kind: 'MetalMachineTemplate', name: 't' };
    assert.equal((await w.clone({ ref })).kind, 'MetalMachine');
  });

  const refusals: [name: string, change: Partial<CloneRequest>, code: string, message: RegExp][] = [
    ['no template', { ref: { ...request.ref, name: 'x' } }, 'BLM_TEMPLATE_MISSING', /default\/x: it does not exist/],
    [
      'no such kind',
      { ref: { ...request.ref, kind: 'FooTemplate' } },
      'BLM_TEMPLATE_MISSING',
      /no such kind is installed/,
    ],
    ['no template kind', { ref: { ...request.ref, kind: 'MetalMachine' } }, 'BLM_TEMPLATE_MISSING', /does not end in/],
  ];
  for (const [name, change, code, message] of refusals) {
    it(`${name} is said, to be tried again`, async () => {
      using w = start(seed);
      await assert.rejects(w.clone(change), (error) => {
        assert.ok(isBloomeryError(error));
        assert.equal(error.code, code);
        assert.equal(error.retryable, true);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it("another's object of this name is left alone, and said", async () => {
    const other = {
      apiVersion: `${GROUP}/v1alpha3`,
      kind: 'MetalMachine',
      metadata: { name: 'ms-abcde', namespace: 'default' },
    };
    using w = start(seed, { kind: metalMachine, object: other });
    await assert.rejects(w.clone(), { code: 'BLM_TEMPLATE_TAKEN' });
    assert.equal((await w.made())?.metadata.labels, undefined);
  });
});
