import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache } from '@bloomery/kube';
import { type KubeObject, metalMachine, server, serverBinding } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { insightResources } from './insight-resources.ts';
import { openTimeline } from './timeline-store.ts';

function objectOf(apiVersion: string, kind: string, metadata: KubeObject['metadata'], rest: object): KubeObject {
  return { apiVersion, kind, metadata, ...rest };
}

describe('insight resources', () => {
  it('explain every object, and give the timeline of the machine behind it', async () => {
    const clock = createFakeClock(1e12);
    await using timeline = openTimeline({ file: ':memory:', clock, log: silentLog });
    const cache = createObjectCache();
    const conditions = [
      { type: 'Ready', status: 'False', reason: 'Wiping', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ];
    cache.put(server, objectOf('metal.sidero.dev/v1alpha2', 'Server', { name: 's' }, { status: { conditions } }));
    const metalMachineRef = { name: 'm', namespace: 'default' };
    const infra = 'infrastructure.cluster.x-k8s.io/v1alpha3';
    cache.put(metalMachine, objectOf(infra, 'MetalMachine', metalMachineRef, {}));
    cache.put(serverBinding, objectOf(infra, 'ServerBinding', { name: 's' }, { spec: { metalMachineRef } }));
    timeline.record({
      source: 'agent',
      about: { server: 's' },
      stage: 'Wiping',
      severity: 'info',
      event: 'WipeStarted',
      summary: 'wiping',
    });
    const [explanations, timelines] = insightResources({ cache, timeline, clock });
    assert.ok(explanations !== undefined && timelines !== undefined);
    assert.deepEqual(
      explanations.list().map((e) => [e.metadata.namespace, e.metadata.name]),
      [
        ['default', 'metalmachine.m'],
        ['default', 'server.s'],
        ['default', 'serverbinding.s'],
      ],
    );
    assert.deepEqual(explanations.list('other'), []);
    const found = explanations.get({ name: 'metalmachine.m', namespace: 'default' });
    assert.partialDeepStrictEqual(found, { healthy: false, about: { kind: 'MetalMachine', name: 'm' } });
    assert.partialDeepStrictEqual(timelines.get({ name: 'metalmachine.m', namespace: 'default' }), {
      entries: [{ seq: 1, event: 'WipeStarted' }],
      last: { event: 'WipeStarted' },
    });
    assert.equal(explanations.get({ name: 'server.none', namespace: 'default' }), undefined);
    assert.equal(explanations.get({ name: 'server.s', namespace: 'other' }), undefined);
  });
});
