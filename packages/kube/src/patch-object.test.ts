import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { event, type Server, server } from '@bloomery/model';
import { createFakeClock, silentLog } from '@bloomery/ports';
import { patchStatus, setFinalizer } from './patch-object.ts';
import { createEventRecorder } from './record-events.ts';
import { createMemoryClient } from './testing/memory-client.ts';

const made: Server = {
  apiVersion: 'metal.sidero.dev/v1alpha2',
  kind: 'Server',
  metadata: { name: 'a' },
  spec: { accepted: true },
};
const key = { name: 'a' };

describe('patchStatus', () => {
  it('merges conditions by type, Ready first, and keeps the time of what did not change', async () => {
    const clock = createFakeClock(0);
    const client = createMemoryClient({ clock });
    await client.create(server, made);
    await patchStatus({ client, clock }, server, key, () => ({
      power: 'on',
      conditions: [{ type: 'PowerCycle', status: 'False', reason: 'InProgress', severity: 'Info', message: 'one' }],
    }));
    await clock.advance(60_000);
    const after = await patchStatus({ client, clock }, server, key, () => ({
      conditions: [
        { type: 'Ready', status: 'True', reason: 'x' },
        { type: 'PowerCycle', status: 'False', reason: 'InProgress', severity: 'Info', message: 'two' },
      ],
    }));
    assert.deepEqual(after.status, {
      power: 'on',
      conditions: [
        { type: 'Ready', status: 'True', reason: 'x', lastTransitionTime: '1970-01-01T00:01:00Z' },
        {
          type: 'PowerCycle',
          status: 'False',
          severity: 'Info',
          reason: 'InProgress',
          message: 'two',
          lastTransitionTime: '1970-01-01T00:00:00Z',
        },
      ],
    });
  });

  it('tries again with the new state when somebody else wrote in between', async () => {
    const clock = createFakeClock(0);
    let race = true;
    const client = createMemoryClient({
      clock,
      intercept(verb, _kind, _key, applied) {
        if (verb !== 'patch' || applied || !race) return;
        race = false;
        void client.patch(server, key, { type: 'merge', body: { spec: { hostname: 'x' } } });
      },
    });
    await client.create(server, made);
    const seen: (string | undefined)[] = [];
    await patchStatus({ client, clock }, server, key, (object) => {
      seen.push(object.spec?.hostname);
      return { isClean: true };
    });
    assert.deepEqual(seen, [undefined, 'x']);
    assert.equal((await client.get(server, key)).status?.isClean, true);
  });

  it('removes a condition on request and writes nothing when nothing differs', async () => {
    const clock = createFakeClock(0);
    const client = createMemoryClient({ clock });
    await client.create(server, made);
    await patchStatus({ client, clock }, server, key, () => ({ conditions: [{ type: 'PXEBooted', status: 'True' }] }));
    const gone = await patchStatus({ client, clock }, server, key, () => ({
      conditions: [{ type: 'PXEBooted', status: null }],
    }));
    assert.deepEqual(gone.status?.conditions, []);
    const before = client.revision();
    await patchStatus({ client, clock }, server, key, () => ({ conditions: [] }));
    assert.equal(client.revision(), before);
  });
});

describe('setFinalizer', () => {
  it('adds once, keeps others, and lets a deleted object go', async () => {
    const client = createMemoryClient();
    await client.create(server, { ...made, metadata: { name: 'a', finalizers: ['other.dev/x'] } });
    await setFinalizer(client, server, key, 'our.dev/y', 'present');
    await setFinalizer(client, server, key, 'our.dev/y', 'present');
    assert.deepEqual((await client.get(server, key)).metadata.finalizers, ['other.dev/x', 'our.dev/y']);
    await client.delete(server, key);
    await setFinalizer(client, server, key, 'other.dev/x', 'absent');
    await setFinalizer(client, server, key, 'our.dev/y', 'absent');
    await setFinalizer(client, server, key, 'our.dev/y', 'absent');
    assert.equal((await client.list(server)).items.length, 0);
  });
});

describe('the event recorder', () => {
  it('folds repeats into a count and keeps different messages apart', async () => {
    const clock = createFakeClock(0);
    const client = createMemoryClient({ clock });
    const about = await client.create(server, made);
    const events = createEventRecorder({ client, clock, log: silentLog, component: 'test' });
    const draft = { type: 'Normal', reason: 'PowerOn', message: 'Server powered on.' } as const;
    events.record(about, draft);
    events.record(about, draft);
    await events.flush();
    await clock.advance(5000);
    events.record(about, draft);
    events.record(about, { ...draft, message: 'other' });
    await events.flush();
    const { items } = await client.list(event, { namespace: 'default' });
    const shown = items.map(({ reason, message, count, firstTimestamp, lastTimestamp, involvedObject }) => [
      [reason, message, count, firstTimestamp, lastTimestamp, involvedObject?.kind, involvedObject?.name].join(' | '),
    ]);
    assert.deepEqual(shown.flat().sort(), [
      'PowerOn | Server powered on. | 3 | 1970-01-01T00:00:00Z | 1970-01-01T00:00:05Z | Server | a',
      'PowerOn | other | 1 | 1970-01-01T00:00:05Z | 1970-01-01T00:00:05Z | Server | a',
    ]);
  });
});
