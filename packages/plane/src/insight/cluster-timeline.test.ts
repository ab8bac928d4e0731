import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createObjectCache, type EventDraft } from '@bloomery/kube';
import {
  cluster,
  type KindRef,
  type KubeObject,
  machine,
  machineTimeline,
  metalMachine,
  server,
  serverBinding,
  talosConfig,
} from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { insightResources } from './insight-resources.ts';
import { markEvents } from './mark-events.ts';
import type { TimelineDraft } from './timeline.ts';
import { openTimeline } from './timeline-store.ts';

const mark = (summary: string, about: TimelineDraft['about']): TimelineDraft => ({
  source: 'boot',
  about,
  stage: 'S',
  severity: 'info',
  event: 'E',
  summary,
});
const object = (kind: KindRef, name: string, more: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion: `${kind.group}/${kind.version}`,
  kind: kind.kind,
  metadata: { name, ...(kind.scope === 'Cluster' ? {} : { namespace: 'default' }), ...metadata },
  ...more,
});

describe('the timeline of a Cluster', () => {
  it('has the marks of the Cluster and of its machines, and of their Servers since they belong to it', async () => {
    const clock = createFakeClock(Date.parse('2026-01-01T10:00:00Z'));
    await using timeline = openTimeline({ file: ':memory:', clock, log: silentLog });
    const events: EventDraft[] = [];
    const recorder = markEvents({ record: (_, event) => events.push(event) }, timeline);
    timeline.record(mark('wiped for another cluster', { server: 's' }));
    await clock.advance(60_000);
    const cache = createObjectCache();
    const forge = object(cluster, 'forge');
    const member = object(machine, 'm', {
      spec: { clusterName: 'forge', infrastructureRef: { kind: 'MetalMachine', name: 'mm' } },
    });
    const owner = { ownerReferences: [{ apiVersion: '', kind: 'Machine', name: 'm', uid: '' }] };
    const config = object(talosConfig, 'm', {}, { ...owner, labels: { 'cluster.x-k8s.io/cluster-name': 'forge' } });
    const bound = object(
      serverBinding,
      's',
      { spec: { metalMachineRef: { name: 'mm', namespace: 'default' } } },
      { creationTimestamp: '2026-01-01T10:01:00Z' },
    );
    for (const [kind, item] of [
      [cluster, forge],
      [machine, member],
      [metalMachine, object(metalMachine, 'mm', { spec: { serverRef: { name: 's' } } })],
      [serverBinding, bound],
      [server, object(server, 's')],
      [talosConfig, config],
    ] as const)
      cache.put(kind, item);
    timeline.record(mark('installs', { server: 's' }));
    timeline.record(mark('allocated', { server: 's', metalMachine: 'default/mm' }));
    timeline.record(mark('somebody else', { server: 't', cluster: 'default/other' }));
    recorder.record(forge, { type: 'Normal', reason: 'Provisioned', message: 'it is there' });
    recorder.record(config, { type: 'Warning', reason: 'Refused', message: 'a patch is wrong' });
    recorder.record(object(server, 's'), { type: 'Normal', reason: 'PowerOn', message: 'marked elsewhere' });
    const [, timelines] = insightResources({ cache, timeline, clock });
    const summaries = async (name: string): Promise<unknown> => {
      const found = await timelines?.get({ name, namespace: 'default' });
      const { entries = [] } = (found ?? {}) as { entries?: { summary: string }[] };
      return entries.map(({ summary }) => summary);
    };
    assert.deepEqual(await summaries('cluster.forge'), [
      'installs',
      'allocated',
      'Cluster/forge: it is there',
      'TalosConfig/m: a patch is wrong',
    ]);
    assert.deepEqual(await summaries('talosconfig.m'), [
      'wiped for another cluster',
      'installs',
      'allocated',
      'TalosConfig/m: a patch is wrong',
    ]);
    assert.equal(events.length, 3);
    assert.equal(machineTimeline.kind, timelines?.kind.kind);
  });
});
