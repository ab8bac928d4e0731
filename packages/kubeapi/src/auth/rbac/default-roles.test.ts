import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { allKinds, type JsonObject } from '@bloomery/model';
import { silentLog, systemClock } from '@bloomery/ports';
import { startApiEngine } from '../../api-engine.ts';
import { managedWrites } from '../../apply/index.ts';
import { openStore } from '../../store/open-store.ts';
import { type JsonCaller, jsonCaller } from '../../testing/json-caller.ts';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';
import { authenticated } from '../user.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const MERGE = 'application/merge-patch+json';
const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate';

describe('the default roles', () => {
  let api: TestApi;
  let make: JsonCaller;
  before(async () => {
    api = await startTestApi(allKinds);
    make = jsonCaller(api);
    for (const role of ['view', 'edit', 'admin']) {
      const subjects = [{ kind: 'User', name: role }];
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role };
      await make('POST', `${RBAC}/namespaces/default/rolebindings`, { metadata: { name: role }, subjects, roleRef });
    }
  });
  after(() => api[Symbol.asyncDispose]());

  const may = (user: string, verb: string, what: string, namespace = 'default'): boolean => {
    const [resource = '', group = ''] = what.split(/\.(.*)/);
    const asked = { verb, group, resource, subresource: '', namespace, name: '' };
    return api.engine.authorizer.decide(authenticated(user, []), asked).allowed;
  };

  const cases: [verb: string, what: string, view: boolean, edit: boolean, admin: boolean][] = [
    ['list', 'configmaps', true, true, true],
    ['update', 'configmaps', false, true, true],
    ['get', 'secrets', false, true, true],
    ['list', 'rolebindings.rbac.authorization.k8s.io', false, false, true],
    ['create', 'rolebindings.rbac.authorization.k8s.io', false, false, true],
    ['create', 'clusterrolebindings.rbac.authorization.k8s.io', false, false, false],
    ['update', 'leases.coordination.k8s.io', false, true, true],
    ['delete', 'namespaces', false, false, false],
    ['list', 'clusters.cluster.x-k8s.io', true, true, true],
    ['delete', 'machines.cluster.x-k8s.io', false, true, true],
    ['watch', 'machinedeployments.cluster.x-k8s.io', true, true, true],
    ['list', 'metalmachines.infrastructure.cluster.x-k8s.io', true, true, true],
    ['list', 'serverbindings.infrastructure.cluster.x-k8s.io', false, false, false],
    // They hold whole machine configurations.
    ['list', 'talosconfigs.bootstrap.cluster.x-k8s.io', false, true, true],
    ['list', 'taloscontrolplanes.controlplane.cluster.x-k8s.io', false, true, true],
    ['list', 'explanations.insight.bloomery.dev', true, true, true],
    // Whatever runs on a machine may have written to its kernel log.
    ['list', 'serverlogs.insight.bloomery.dev', false, true, true],
    // They hold BMC passwords, and are of the whole rack.
    ['list', 'servers.metal.sidero.dev', false, false, false],
    ['delete', 'servers.metal.sidero.dev', false, false, false],
  ];
  for (const [verb, what, ...wanted] of cases) {
    it(`let view, edit and admin ${verb} ${what}: ${wanted.join(', ')}`, () =>
      assert.deepEqual(
        ['view', 'edit', 'admin'].map((role) => may(role, verb, what)),
        wanted,
      ));
  }

  it('hold for the namespace that they are bound in', () =>
    assert.equal(may('view', 'list', 'configmaps', 'kube-system'), false));

  it('are for the rack in two of their own', async () => {
    const subjects = [{ kind: 'User', name: 'rick' }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'bloomery:rack-viewer' };
    await make('POST', `${RBAC}/clusterrolebindings`, { metadata: { name: 'rick' }, subjects, roleRef });
    assert.deepEqual(
      ['list', 'delete'].map((verb) => may('rick', verb, 'servers.metal.sidero.dev', '')),
      [true, false],
    );
  });

  it('aggregate what operators label, and lose it again', async () => {
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
    const rules = [{ apiGroups: ['example.com'], resources: ['widgets'], verbs: ['list'] }];
    await make('POST', `${RBAC}/clusterroles`, { metadata: { name: 'widgets', labels }, rules });
    await api.engine.idle();
    for (const role of ['view', 'edit', 'admin']) assert.equal(may(role, 'list', 'widgets.example.com'), true, role);
    await make('DELETE', `${RBAC}/clusterroles/widgets`);
    await api.engine.idle();
    for (const role of ['view', 'edit', 'admin']) assert.equal(may(role, 'list', 'widgets.example.com'), false, role);
  });

  it('of others aggregate by expressions too, each rule once', async () => {
    const rule = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
    for (const name of ['part-a', 'part-b'])
      await make('POST', `${RBAC}/clusterroles`, { metadata: { name, labels: { part: name } }, rules: [rule] });
    const matchExpressions = [{ key: 'part', operator: 'In', values: ['part-a', 'part-b'] }];
    const aggregationRule = { clusterRoleSelectors: [{ matchExpressions }] };
    await make('POST', `${RBAC}/clusterroles`, { metadata: { name: 'whole' }, aggregationRule });
    await api.engine.idle();
    assert.deepEqual((await make('GET', `${RBAC}/clusterroles/whole`)).body['rules'], [rule]);
  });
});

describe('the default roles at the next start', () => {
  const dir = mkdtempSync(join(tmpdir(), 'bloomery-roles-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const random = (length: number): Uint8Array => randomBytes(length);
  const common = { clock: systemClock, log: silentLog, random };

  async function withApi<T>(
    work: (get: (kind: string, name: string) => JsonObject | undefined, write: JsonCaller) => Promise<T>,
  ): Promise<{ readonly result: T; readonly revision: number }> {
    const store = openStore({ dir, ...common });
    const engine = await startApiEngine({ store, kinds: [], ...common, fields: managedWrites });
    const revision = store.revision;
    const write: JsonCaller = async (method, path, body = {}, type = MERGE) => {
      const [kind = '', name = ''] = path.split('/');
      const resource = engine.registry.byId(`${kind}.rbac.authorization.k8s.io`);
      assert.ok(resource);
      const request = { resource, version: resource.storage, namespace: '', manager: 't', dryRun: false } as const;
      if (method === 'DELETE') await engine.writer.delete({ ...request, name });
      else
        await engine.writer.patch({ ...request, fieldValidation: 'Ignore' }, name, {
          type: type === MERGE ? 'merge' : 'json',
          body,
        });
      return { code: 200, body: {} };
    };
    const get = (kind: string, name: string): JsonObject | undefined =>
      store.get({ resource: `${kind}.rbac.authorization.k8s.io`, namespace: '', name });
    const result = await work(get, write);
    await engine.idle();
    engine.stop();
    await store.close();
    return { result, revision };
  }

  it('are put back where they were changed, unless an operator said not to', async () => {
    const mine = { apiGroups: ['x'], resources: ['y'], verbs: ['get'] };
    await withApi(async (_get, write) => {
      await write('DELETE', 'clusterroles/system:discovery');
      await write('PATCH', 'clusterroles/system:basic-user', { rules: [mine] });
      await write('PATCH', 'clusterroles/system:monitoring', {
        metadata: { annotations: { [AUTOUPDATE]: 'false' } },
        rules: [],
      });
      await write('PATCH', 'clusterrolebindings/system:discovery', { subjects: [] });
      await write('PATCH', 'clusterroles/view', {
        metadata: { labels: { mine: 'true', 'kubernetes.io/bootstrapping': null } },
      });
    });
    const { result } = await withApi(async (get) => ({
      discovery: get('clusterroles', 'system:discovery') !== undefined,
      basic: get('clusterroles', 'system:basic-user')?.['rules'],
      monitoring: get('clusterroles', 'system:monitoring')?.['rules'],
      subjects: get('clusterrolebindings', 'system:discovery')?.['subjects'],
      labels: get('clusterroles', 'view')?.['metadata'],
    }));
    assert.equal(result.discovery, true);
    assert.ok(Array.isArray(result.basic));
    assert.deepEqual(result.basic[0], mine);
    assert.equal(result.basic.length, 4);
    assert.deepEqual(result.monitoring, []);
    assert.deepEqual(result.subjects, [
      { kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:authenticated' },
    ]);
    const { labels } = result.labels as JsonObject;
    assert.deepEqual(labels, {
      mine: 'true',
      'kubernetes.io/bootstrapping': 'rbac-defaults',
      'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
    });
  });

  it('are not written when they are as they should be', async () => {
    const first = await withApi(async () => undefined);
    const second = await withApi(async () => undefined);
    assert.equal(second.revision, first.revision);
  });
});
