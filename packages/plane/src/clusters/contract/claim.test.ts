import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject, OwnerReference } from '@bloomery/model';
import { claimPatch, isClaimedByAnother } from './claim.ts';

const LABEL = 'cluster.x-k8s.io/cluster-name';
const owner: KubeObject = {
  apiVersion: 'cluster.x-k8s.io/v1beta1',
  kind: 'Cluster',
  metadata: { name: 'blue', namespace: 'default', uid: 'new' },
};
const own: OwnerReference = { apiVersion: owner.apiVersion, kind: 'Cluster', name: 'blue', uid: 'new' };
const object = (metadata: Partial<KubeObject['metadata']>): KubeObject => ({
  apiVersion: 'infrastructure.cluster.x-k8s.io/v1',
  kind: 'OtherCluster',
  metadata: { name: 'blue', namespace: 'default', ...metadata },
});
const claim = (metadata: Partial<KubeObject['metadata']>, asController = false) =>
  claimPatch(object(metadata), { owner, clusterName: 'blue', asController })?.['metadata'];

describe('claiming an object for its Cluster', () => {
  it('makes the Cluster its owner and labels it', () => {
    assert.deepEqual(claim({}), { labels: { [LABEL]: 'blue' }, ownerReferences: [own] });
    const controller = { ...own, controller: true, blockOwnerDeletion: true };
    assert.deepEqual(claim({ labels: { [LABEL]: 'blue' } }, true), { ownerReferences: [controller] });
  });

  it('changes nothing of an object that is claimed', () => {
    assert.equal(claim({ labels: { [LABEL]: 'blue' }, ownerReferences: [own] }), undefined);
  });

  it('leaves owners and labels alone that others have set', () => {
    const machine = { ...own, kind: 'Machine', name: 'm', controller: true };
    assert.deepEqual(claim({ ownerReferences: [machine] }), { labels: { [LABEL]: 'blue' } });
    assert.equal(claim({ labels: { [LABEL]: 'theirs' }, ownerReferences: [{ ...own, name: 'red' }] }), undefined);
  });

  it('keeps an object that was restored from the garbage collector: its owner of that name has another uid now', () => {
    const labels = { [LABEL]: 'blue' };
    const stale = { ...own, uid: 'old', controller: true };
    assert.deepEqual(claim({ labels, ownerReferences: [stale] }), { ownerReferences: [{ ...stale, uid: 'new' }] });
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    assert.equal(claim({ labels, ownerReferences: [stale], deletionTimestamp }), undefined);
  });
});

describe('an object of another Cluster', () => {
  it('is known by its owners of that kind', () => {
    const other = { ...own, name: 'red' };
    const taken = (ownerReferences: readonly OwnerReference[]) =>
      isClaimedByAnother(object({ ownerReferences: [...ownerReferences] }), owner);
    assert.deepEqual([taken([]), taken([own]), taken([other]), taken([other, own])], [false, false, true, false]);
  });
});
