import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cluster, clusterV1beta2, compareVersions, configMap, server, serverV1alpha1 } from '@bloomery/model';
import { servedResource, subresourcesOf, verbsOf } from './api-resource.ts';
import { aggregatedDiscoveryDocument, apiGroupListDocument, apiResourceListDocument } from './discovery.ts';

describe('discovery', () => {
  const resources = [configMap, serverV1alpha1, server];

  it('prefers stable versions, then the higher ones', () => {
    const versions = ['v1alpha1', 'v2', 'v1', 'v1beta1', 'v10', 'foo', 'v1beta2'];
    assert.deepEqual(versions.sort(compareVersions), ['v10', 'v2', 'v1', 'v1beta2', 'v1beta1', 'v1alpha1', 'foo']);
  });

  it('lists groups with their preferred version', () => {
    assert.deepEqual(apiGroupListDocument(resources), {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: [
        {
          name: 'metal.sidero.dev',
          versions: [
            { groupVersion: 'metal.sidero.dev/v1alpha2', version: 'v1alpha2' },
            { groupVersion: 'metal.sidero.dev/v1alpha1', version: 'v1alpha1' },
          ],
          preferredVersion: { groupVersion: 'metal.sidero.dev/v1alpha2', version: 'v1alpha2' },
        },
      ],
    });
  });

  it('prefers the version that the kinds of a group prefer', () => {
    const document = apiGroupListDocument([clusterV1beta2, cluster]);
    assert.deepEqual(document['groups'], [
      {
        name: 'cluster.x-k8s.io',
        versions: [
          { groupVersion: 'cluster.x-k8s.io/v1beta1', version: 'v1beta1' },
          { groupVersion: 'cluster.x-k8s.io/v1beta2', version: 'v1beta2' },
        ],
        preferredVersion: { groupVersion: 'cluster.x-k8s.io/v1beta1', version: 'v1beta1' },
      },
    ]);
  });

  it('lists resources with their subresources', () => {
    const list = apiResourceListDocument(resources, 'metal.sidero.dev', 'v1alpha2');
    const entries = list?.['resources'] as { name: string; verbs: string[] }[];
    assert.deepEqual(
      entries.map(({ name, verbs }) => [name, verbs.join(' ')]),
      [
        ['servers', 'create delete deletecollection get list patch update watch'],
        ['servers/status', 'get patch update'],
      ],
    );
    assert.equal(apiResourceListDocument(resources, 'metal.sidero.dev', 'v9'), undefined);
  });

  it('knows what is peculiar to kinds of Kubernetes', () => {
    const of = (plural: string) => servedResource({ ...configMap, plural });
    assert.deepEqual(
      [verbsOf(of('namespaces')).includes('deletecollection'), verbsOf(of('configmaps')).includes('deletecollection')],
      [false, true],
    );
    const names = (plural: string) => subresourcesOf(of(plural)).map(({ name, verbs }) => `${name} ${verbs.join(' ')}`);
    assert.deepEqual([names('namespaces'), names('serviceaccounts')], [['finalize update'], ['token create']]);
    assert.equal(servedResource(server), server);
  });

  it('tells core resources only at /api', () => {
    assert.deepEqual(aggregatedDiscoveryDocument(resources, 'api')['items'], [
      {
        metadata: {},
        versions: [
          {
            version: 'v1',
            freshness: 'Current',
            resources: [
              {
                resource: 'configmaps',
                responseKind: { group: '', version: 'v1', kind: 'ConfigMap' },
                scope: 'Namespaced',
                singularResource: 'configmap',
                verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
                shortNames: ['cm'],
              },
            ],
          },
        ],
      },
    ]);
  });
});
