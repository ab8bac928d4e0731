import { isJsonObject, type Json, type JsonObject } from '@bloomery/model';
import { area } from '../area.ts';
import { at, lease } from '../objects.ts';
import type { Session } from '../session.ts';

const LEASES = 'coordination.k8s.io/v1';
const EVENTS = 'events.k8s.io/v1';

/** One candidate of a leader election as client-go runs it: take an unheld lease by its version, or wait. */
async function campaign(s: Session, who: string, terms: string[]): Promise<void> {
  const path = s.api(LEASES, 'leases/leader');
  for (let attempt = 0; attempt < 200; attempt++) {
    const now = await s.quiet('GET', path);
    const holder = at(now.body, 'spec', 'holderIdentity');
    if (holder !== '' && holder !== null) continue;
    const taken = await s.quiet('PUT', path, {
      ...now.body,
      spec: { ...(now.body['spec'] as JsonObject), holderIdentity: who },
    });
    if (taken.code === 409) continue;
    terms.push(`${who} ${taken.code}`);
    const left = await s.quiet('PUT', path, {
      ...taken.body,
      spec: { ...(taken.body['spec'] as JsonObject), holderIdentity: '' },
    });
    terms.push(`${who} ${left.code}`);
    return;
  }
}

const coreEvent = (s: Session, name: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name },
  involvedObject: { kind: 'ConfigMap', name: 'o', namespace: s.ns, uid: 'u', apiVersion: 'v1' },
  reason: 'Tested',
  message: 'a message',
  source: { component: 'tester', host: 'h' },
  firstTimestamp: '2024-01-02T03:04:05Z',
  lastTimestamp: '2024-01-02T03:04:05Z',
  count: 1,
  type: 'Normal',
  ...more,
});

const newEvent = (s: Session, name: string, more: JsonObject = {}): JsonObject => ({
  apiVersion: EVENTS,
  kind: 'Event',
  metadata: { name },
  eventTime: '2024-01-02T03:04:05.123456Z',
  reportingController: 'test.dev/tester',
  reportingInstance: 'tester-1',
  action: 'Testing',
  reason: 'Tested',
  type: 'Normal',
  note: 'a note',
  regarding: { kind: 'ConfigMap', name: 'o', namespace: s.ns },
  ...more,
});

const shown = {
  look: (b: JsonObject): Json => (isJsonObject(b['metadata']) && b['kind'] === 'Event' ? { ...b, metadata: null } : b),
};

/** Leases for leader election, and events in both groups. */
export const leasesAndEvents = area('leases-and-events', {
  'of several candidates one leads at a time': async (s) => {
    await s.must('POST', s.api(LEASES, 'leases'), lease('leader', ''));
    const terms: string[] = [];
    await Promise.all(['a', 'b', 'c'].map((who) => campaign(s, who, terms)));
    // Whoever takes it gives it back before another takes it.
    const pairs = [terms.slice(0, 2), terms.slice(2, 4), terms.slice(4, 6)];
    s.note('each led once', pairs.map(([a, b]) => a === b).concat(new Set(terms).size === 3));
  },
  'an update of a stale lease is a conflict': async (s) => {
    const made = await s.must('POST', s.api(LEASES, 'leases'), lease('l', 'a'));
    await s.must('PUT', s.api(LEASES, 'leases/l'), { ...made, spec: { holderIdentity: 'b' } });
    await s.put(s.api(LEASES, 'leases/l'), { ...made, spec: { holderIdentity: 'c' } });
  },
  'times of a lease keep their microseconds': async (s) => {
    await s.post(
      s.api(LEASES, 'leases'),
      lease('l', 'a', { renewTime: '2024-01-02T03:04:05.000001Z', acquireTime: '2024-01-02T03:04:05.900000Z' }),
      { look: (b) => [String(at(b, 'spec', 'renewTime')).length, String(at(b, 'spec', 'acquireTime')).length] },
    );
    const kept = await s.quiet('GET', s.api(LEASES, 'leases/l'));
    s.note('kept', [
      String(at(kept.body, 'spec', 'renewTime')).slice(17),
      String(at(kept.body, 'spec', 'acquireTime')).slice(17),
    ]);
  },
  'an event of the core group is shown by the new one': async (s) => {
    await s.post(s.core('events'), coreEvent(s, 'e'), shown);
    await s.get(s.api(EVENTS, 'events/e'), shown);
    await s.patch(
      s.core('events/e'),
      { count: 2, lastTimestamp: '2024-01-02T03:05:05Z' },
      { ...shown, type: 'application/strategic-merge-patch+json' },
    );
    await s.get(s.api(EVENTS, 'events/e'), { look: (b) => [b['deprecatedCount'] ?? null, b['note'] ?? null] });
    await s.delete(s.api(EVENTS, 'events/e'), undefined, { look: 'code' });
    await s.get(s.core('events/e'), { look: 'code' });
  },
  'an event of the new group is shown by the core one': async (s) => {
    await s.post(s.api(EVENTS, 'events'), newEvent(s, 'e'), shown);
    await s.get(s.core('events/e'), shown);
    await s.patch(
      s.api(EVENTS, 'events/e'),
      { series: { count: 2, lastObservedTime: '2024-01-02T03:05:05.000001Z' } },
      shown,
    );
    await s.get(s.core('events/e'), { look: (b) => b['series'] ?? null });
  },
  'events of the new group are checked': async (s) => {
    const path = s.api(EVENTS, 'events');
    for (const more of [
      { eventTime: null },
      { reportingController: '' },
      { reportingInstance: '' },
      { action: '' },
      { reason: '' },
      { type: 'Strange' },
      { reportingInstance: 'x'.repeat(129) },
      { note: 'x'.repeat(1025) },
      { series: { count: 1 } },
      { regarding: { kind: 'ConfigMap', name: 'o', namespace: 'other' } },
    ])
      await s.post(path, newEvent(s, 'e', more), { look: 'gist' });
    await s.post(
      s.core('events'),
      coreEvent(s, 'c', { involvedObject: { kind: 'ConfigMap', name: 'o', namespace: 'other' } }),
      { look: 'gist' },
    );
    await s.post(s.core('events'), coreEvent(s, 'd', { reason: '', message: '', type: '' }), { look: 'code' });
  },
});
