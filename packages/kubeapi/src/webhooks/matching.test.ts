import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import type { JsonObject } from '@bloomery/model';
import { MAPS, MERGE, startWebhookLab, type WebhookLab } from '../testing/webhook-lab.ts';

const rule = (resources: readonly string[], more: JsonObject = {}): JsonObject => ({
  operations: ['*'],
  apiGroups: ['*'],
  apiVersions: ['*'],
  resources,
  ...more,
});

describe('which webhooks are asked', () => {
  let lab: WebhookLab;
  before(async () => {
    lab = await startWebhookLab();
    lab.hooks.on('/allow', () => ({ allowed: true }));
    await lab.call('POST', '/api/v1/namespaces', { metadata: { name: 'marked', labels: { mark: 'yes' } } });
  });
  afterEach(() => lab.reset());
  after(() => lab[Symbol.asyncDispose]());

  const map = (name: string, metadata: JsonObject = {}): JsonObject => ({ metadata: { name, ...metadata } });
  let count = 0;
  /** How often the webhook is asked when a ConfigMap with these labels is created, patched and deleted. */
  async function asked(more: JsonObject, labels: JsonObject = {}, maps = MAPS): Promise<number> {
    await lab.configure('validating', [lab.hook('/allow', more)]);
    const name = `asked-${count++}`;
    assert.equal((await lab.call('POST', maps, map(name, { labels }))).code, 201);
    assert.equal((await lab.call('PATCH', `${maps}/${name}`, { data: { a: '1' } }, MERGE)).code, 200);
    assert.equal((await lab.call('DELETE', `${maps}/${name}`)).code, 200);
    return lab.hooks.seen('/allow').length;
  }

  const rules: [name: string, rule: JsonObject, times: number][] = [
    ['all of everything', rule(['*']), 3],
    ['all of everything and below it', rule(['*/*']), 3],
    ['ConfigMaps and what is below them', rule(['configmaps/*']), 3],
    ['what is below ConfigMaps', rule(['configmaps/status']), 0],
    ['another resource', rule(['secrets']), 0],
    ['another group', rule(['*'], { apiGroups: ['apps'] }), 0],
    ['another version', rule(['*'], { apiVersions: ['v2'] }), 0],
    ['creations', rule(['*'], { operations: ['CREATE'] }), 1],
    ['creations and deletions', rule(['*'], { operations: ['CREATE', 'DELETE'] }), 2],
    ['connections, which there are none of here', rule(['*'], { operations: ['CONNECT'] }), 0],
    ['what is in namespaces', rule(['*'], { scope: 'Namespaced' }), 3],
    ['what is in none', rule(['*'], { scope: 'Cluster' }), 0],
  ];
  for (const [name, one, times] of rules) {
    it(`follows their rules: ${name}`, async () => assert.equal(await asked({ rules: [one] }), times));
  }

  it('follows the labels of the namespace, as they are now', async () => {
    const selector = { namespaceSelector: { matchExpressions: [{ key: 'mark', operator: 'In', values: ['yes'] }] } };
    const maps = MAPS.replace('default', 'marked');
    assert.equal(await asked(selector, {}, maps), 3);
    await lab.reset();
    assert.equal(await asked(selector), 0);
    await lab.call('PATCH', '/api/v1/namespaces/marked', { metadata: { labels: { mark: 'no' } } }, MERGE);
    await lab.reset();
    assert.equal(await asked(selector, {}, maps), 0);
    await lab.reset();
    const byName = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } };
    assert.equal(await asked(byName), 3);
  });

  it('follows the labels of the object, before or after', async () => {
    const objectSelector = { matchLabels: { pick: 'me' } };
    assert.equal(await asked({ objectSelector }, { pick: 'me' }), 3);
    await lab.reset();
    assert.equal(await asked({ objectSelector }, {}), 0);
    await lab.call('POST', MAPS, map('leaves', { labels: { pick: 'me' } }));
    lab.hooks.forget();
    await lab.call('PATCH', `${MAPS}/leaves`, { metadata: { labels: { pick: null } } }, MERGE);
    await lab.call('PATCH', `${MAPS}/leaves`, { data: { a: '1' } }, MERGE);
    assert.equal(lab.hooks.seen('/allow').length, 1);
  });

  describe('by match conditions', () => {
    const conditions: [name: string, expressions: readonly string[], times: number][] = [
      ['that hold', ['request.operation in ["CREATE", "UPDATE", "DELETE"]'], 3],
      ['of the operation', ['request.operation == "UPDATE"'], 1],
      ['of the new object', ['object != null && object.metadata.name.startsWith("asked")'], 2],
      ['of the old object', ['oldObject != null && has(oldObject.data)'], 1],
      ['of the user', ['!("system:masters" in request.userInfo.groups)'], 0],
      ['all of which must hold', ['true', 'false'], 0],
      ['of which one is false though another cannot be told', ['object.none == 1', 'false'], 0],
    ];
    for (const [name, expressions, times] of conditions) {
      it(name, async () => {
        const matchConditions = expressions.map((expression, i) => ({ name: `c${i}`, expression }));
        assert.equal(await asked({ matchConditions }), times);
      });
    }

    it('that cannot be told refuse the request, or pass the webhook over where failures are ignored', async () => {
      const matchConditions = [{ name: 'c', expression: 'object.none.deep == 1' }];
      await lab.configure('validating', [lab.hook('/allow', { matchConditions })]);
      const { code, message } = await lab.call('POST', MAPS, map('unknowable'));
      assert.equal(code, 403);
      assert.match(message, /^configmaps "unknowable" is forbidden: /);
      await lab.reset();
      await lab.configure('validating', [lab.hook('/allow', { matchConditions, failurePolicy: 'Ignore' })]);
      assert.equal((await lab.call('POST', MAPS, map('unknowable'))).code, 201);
      assert.equal(lab.hooks.seen('/allow').length, 0);
    });
  });

  it('changes with the configurations at once', async () => {
    await lab.configure('validating', [lab.hook('/allow')], 'changing');
    await lab.call('POST', MAPS, map('w1'));
    const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/changing';
    const change = [{ op: 'replace', path: '/webhooks/0/rules/0/resources', value: ['secrets'] }];
    assert.equal((await lab.call('PATCH', path, change, 'application/json-patch+json')).code, 200);
    await lab.call('POST', MAPS, map('w2'));
    assert.deepEqual(
      lab.hooks.seen('/allow').map((r) => r['name']),
      ['w1'],
    );
  });

  it('is nobody where nothing is configured: a write waits for nothing', async () => {
    const { engine } = lab.api;
    const found = engine.registry.find('', 'v1', 'configmaps');
    assert.ok(found);
    const request = { ...found, namespace: 'default', manager: 'm', dryRun: false, fieldValidation: 'Ignore' } as const;
    const first = engine.writer.create(request, map('sync'));
    // Staged in this very turn.
    const id = { resource: 'configmaps', namespace: 'default', name: 'sync' };
    assert.ok(engine.store.head(id));
    await first;
    const patch = engine.writer.patch(request, 'sync', { type: 'merge', body: { data: { a: '1' } } });
    assert.deepEqual(engine.store.head(id)?.['data'], { a: '1' });
    await patch;
    const deletion = engine.writer.delete({ ...request, name: 'sync' });
    assert.equal(engine.store.head(id), undefined);
    await deletion;
  });
});
