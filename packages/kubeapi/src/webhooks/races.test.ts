import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { withMeta } from '../api-object.ts';
import { crdFor, part, textAt } from '../testing/json-caller.ts';
import { MAPS, MERGE, startWebhookLab, type WebhookLab } from '../testing/webhook-lab.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const APPLY = 'application/apply-patch+yaml';

/** While a webhook thinks, something else happens: `meanwhile` runs before its first answers. */
describe('while a webhook thinks', () => {
  let lab: WebhookLab;
  before(async () => {
    lab = await startWebhookLab();
  });
  afterEach(() => lab.reset());
  after(() => lab[Symbol.asyncDispose]());

  const map = (name: string, more: JsonObject = {}): JsonObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    ...more,
  });
  const id = (name: string) => ({ resource: 'configmaps', namespace: 'default', name });

  /** The next `times` questions of writes by `test` wait for something to happen. */
  async function interrupt(meanwhile: () => Promise<unknown>, times = 1): Promise<void> {
    let left = times;
    lab.hooks.on('/slow', async () => {
      if (left-- > 0) await meanwhile();
      return { allowed: true };
    });
    await lab.configure('validating', [lab.hook('/slow')]);
  }

  /** A change that no webhook sees. */
  async function change(name: string, value: string): Promise<void> {
    const { store } = lab.api.engine;
    const present = store.head(id(name));
    assert.ok(present);
    await store.put(id(name), (resourceVersion) => ({
      ...present,
      data: { ...Object(present['data']), other: value },
      metadata: { ...present.metadata, resourceVersion },
    }));
  }

  it('an object changes: a patch is made anew on what is there then', async () => {
    await lab.call('POST', MAPS, map('patched', { data: { a: '1' } }));
    await interrupt(() => change('patched', 'x'));
    const { code, body } = await lab.call('PATCH', `${MAPS}/patched`, { data: { a: '2' } }, MERGE);
    assert.deepEqual([code, body['data']], [200, { a: '2', other: 'x' }]);
    assert.equal(lab.hooks.seen('/slow').length, 2);
  });

  it('an object changes: so is an apply', async () => {
    const body = map('applied', { data: { a: '1' } });
    await lab.call('PATCH', `${MAPS}/applied?fieldManager=m`, body, APPLY);
    await interrupt(() => change('applied', 'x'));
    const next = map('applied', { data: { a: '2' } });
    const answer = await lab.call('PATCH', `${MAPS}/applied?fieldManager=m`, next, APPLY);
    assert.deepEqual([answer.code, answer.body['data']], [200, { a: '2', other: 'x' }]);
  });

  it('an object keeps changing: after some attempts a patch is a conflict', async () => {
    await lab.call('POST', MAPS, map('busy'));
    let round = 0;
    await interrupt(() => change('busy', String(round++)), 100);
    const { code, body } = await lab.call('PATCH', `${MAPS}/busy`, { data: { a: '2' } }, MERGE);
    assert.deepEqual([code, body['reason']], [409, 'Conflict']);
    assert.ok(round >= 6);
    assert.equal(part((await lab.call('GET', `${MAPS}/busy`)).body, 'data', 'a'), undefined);
  });

  it('an object changes: a PUT or patch of one revision is a conflict', async () => {
    for (const method of ['PUT', 'PATCH']) {
      const name = `put-${method.toLowerCase()}`;
      const { body } = await lab.call('POST', MAPS, map(name));
      await interrupt(() => change(name, 'x'));
      const resourceVersion = textAt(body, 'metadata', 'resourceVersion');
      const next = { ...map(name, { data: { a: '2' } }), metadata: { name, resourceVersion } };
      const type = method === 'PATCH' ? MERGE : 'application/json';
      const answer = await lab.call(method, `${MAPS}/${name}`, next, type);
      assert.deepEqual([answer.code, answer.body['reason']], [409, 'Conflict']);
      assert.deepEqual((await lab.call('GET', `${MAPS}/${name}`)).body['data'], { other: 'x' });
      await lab.reset();
    }
  });

  it('an object goes: a change of it finds nothing, and brings nothing back', async () => {
    await lab.call('POST', MAPS, map('gone'));
    await interrupt(() =>
      lab.api.engine.store.remove(id('gone'), (resourceVersion) => ({
        ...map('gone'),
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'gone', namespace: 'default', resourceVersion },
      })),
    );
    assert.equal((await lab.call('PATCH', `${MAPS}/gone`, { data: { a: '2' } }, MERGE)).code, 404);
    assert.equal((await lab.call('GET', `${MAPS}/gone`)).code, 404);
  });

  it('an object changes: what is deleted is looked at again', async () => {
    await lab.call('POST', MAPS, map('dying'));
    await interrupt(() => change('dying', 'x'));
    assert.equal((await lab.call('DELETE', `${MAPS}/dying`)).code, 200);
    assert.deepEqual(
      lab.hooks.seen('/slow').map((r) => part(r, 'oldObject', 'data', 'other')),
      [undefined, 'x'],
    );
  });

  it('an object changes: the garbage collector takes from it only what must go', async () => {
    const owner = async (name: string): Promise<JsonObject> => {
      const { body } = await lab.call('POST', MAPS, map(name));
      return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: textAt(body, 'metadata', 'uid') };
    };
    const [first, second, third] = [await owner('first'), await owner('second'), await owner('third')];
    await lab.call('POST', MAPS, { ...map('owned'), metadata: { name: 'owned', ownerReferences: [first, second] } });
    const { store, idle } = lab.api.engine;
    let left = 1;
    lab.hooks.on('/slow', async (review) => {
      if (part(review, 'name') !== 'owned' || left-- < 1) return { allowed: true };
      const present = store.head(id('owned'));
      assert.ok(present);
      await store.put(id('owned'), (resourceVersion) =>
        withMeta(present, { ownerReferences: [first, second, third], resourceVersion }),
      );
      return { allowed: true };
    });
    await lab.configure('validating', [lab.hook('/slow')]);
    await lab.call('DELETE', `${MAPS}/first`);
    await idle();
    assert.deepEqual(part((await lab.call('GET', `${MAPS}/owned`)).body, 'metadata', 'ownerReferences'), [
      second,
      third,
    ]);
  });

  it('a name is taken: the second creation is refused, one without a name makes another', async () => {
    const taken: string[] = [];
    await interrupt(async () => {
      const name = String(lab.hooks.seen('/slow').at(-1)?.['name']);
      taken.push(name);
      await lab.api.engine.store.put(id(name), (resourceVersion) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, namespace: 'default', uid: 'first', resourceVersion },
      }));
    }, 2);
    const named = await lab.call('POST', MAPS, map('taken'));
    assert.deepEqual([named.code, named.body['reason']], [409, 'AlreadyExists']);
    const made = await lab.call('POST', MAPS, { metadata: { generateName: 'made-' } });
    assert.equal(made.code, 201);
    assert.ok(!taken.includes(textAt(made.body, 'metadata', 'name')));
    assert.equal(part((await lab.call('GET', `${MAPS}/taken`)).body, 'metadata', 'uid'), 'first');
  });

  it('a namespace begins to go: nothing is created in it', async () => {
    await lab.call('POST', '/api/v1/namespaces', { metadata: { name: 'leaving' } });
    await interrupt(() => lab.call('DELETE', '/api/v1/namespaces/leaving'));
    const { code, message } = await lab.call('POST', '/api/v1/namespaces/leaving/configmaps', map('late'));
    assert.ok(code === 403 || code === 404, message);
    await lab.api.engine.idle();
    assert.equal((await lab.call('GET', '/api/v1/namespaces/leaving')).code, 404);
    assert.deepEqual(lab.api.engine.store.list('configmaps', 'leaving'), []);
  });

  it('a kind goes: its objects are not created any more', async () => {
    await lab.call('POST', CRDS, crdFor('r.test', 'racers', 'Racer'));
    const rules = [{ operations: ['*'], apiGroups: ['r.test'], apiVersions: ['*'], resources: ['*'] }];
    lab.hooks.on('/slow', async () => {
      await lab.call('DELETE', `${CRDS}/racers.r.test`);
      await lab.api.engine.idle();
      return { allowed: true };
    });
    await lab.configure('mutating', [lab.hook('/slow', { rules })]);
    const racer = { apiVersion: 'r.test/v1', kind: 'Racer', metadata: { name: 'r' } };
    const path = '/apis/r.test/v1/namespaces/default/racers';
    assert.equal((await lab.call('POST', path, racer)).code, 404);
    assert.deepEqual(lab.api.engine.store.list('racers.r.test'), []);
  });

  it('many write: each of their patches comes in, none is lost', async () => {
    await lab.call('POST', MAPS, map('many'));
    lab.hooks.on('/slow', () => ({ allowed: true }));
    await lab.configure('validating', [lab.hook('/slow')]);
    const keys = Array.from({ length: 12 }, (_, i) => `k${i}`);
    const codes = await Promise.all(
      keys.map(async (key) => (await lab.call('PATCH', `${MAPS}/many`, { data: { [key]: 'x' } }, MERGE)).code),
    );
    const stored = Object.keys(Object((await lab.call('GET', `${MAPS}/many`)).body['data'])).sort();
    // Those that met too many others are told so; nobody is told that he has written what is not there.
    assert.deepEqual(stored, keys.filter((_, i) => codes[i] === 200).sort());
    assert.ok(codes.every((code) => code === 200 || code === 409));
    assert.ok(stored.length >= 6);
  });
});
