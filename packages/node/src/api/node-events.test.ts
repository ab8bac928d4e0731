import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { machineEventsProto } from '@bloomery/wire';
import { fromBinary } from '@bufbuild/protobuf';
import { createEventIds, isEventId } from './event-id.ts';
import { createNodeEvents, type NodeEvent, type NodeEvents } from './node-events.ts';

const { AddressEventSchema } = machineEventsProto;
const random = (length: number): Uint8Array => new Uint8Array(length).fill(0xab);
const NOTHING = { tailEvents: 0, tailId: '', tailSeconds: 0, withActorId: '' };

/** Host names of the first events that a request gives; the stream must have them at once. */
async function past(events: NodeEvents, asked: Partial<typeof NOTHING>, count: number): Promise<NodeEvent[]> {
  const found: NodeEvent[] = [];
  const abort = new AbortController();
  const stream = events.stream({ ...NOTHING, ...asked }, abort.signal)[Symbol.asyncIterator]();
  assert.equal((await stream.next()).value, undefined);
  while (found.length < count) {
    const { value } = await stream.next();
    if (value !== undefined) found.push(value);
  }
  abort.abort();
  assert.equal((await stream.next()).done, true);
  return found;
}

const names = (events: readonly NodeEvent[]): string[] =>
  events.map(({ value }) => fromBinary(AddressEventSchema, value).hostname);

describe('ids of events', () => {
  it('are twenty characters that sort by time and by count', async () => {
    const clock = createFakeClock(1_700_000_000_000);
    const next = createEventIds(clock, random);
    const ids = [next(), next()];
    await clock.advance(1_000);
    ids.push(next());
    assert.deepEqual(ids, [...ids].sort());
    assert.equal(new Set(ids).size, 3);
    for (const id of ids) assert.ok(isEventId(id), id);
    assert.ok(!isEventId('x'));
  });
});

describe('events of the node', () => {
  const three = async () => {
    const clock = createFakeClock(1_700_000_000_000);
    const events = createNodeEvents(clock, random);
    for (const hostname of ['a', 'b', 'c']) {
      events.publish(AddressEventSchema, { hostname });
      await clock.advance(10_000);
    }
    return events;
  };

  it('are given from the end on, all of them, or none', async () => {
    const events = await three();
    const all = await past(events, { tailEvents: -1 }, 3);
    assert.deepEqual(names(all), ['a', 'b', 'c']);
    assert.equal(all[0]?.typeUrl, 'talos/runtime/machine.AddressEvent');
    assert.deepEqual(names(await past(events, { tailEvents: 2 }, 2)), ['b', 'c']);
    assert.deepEqual(await past(events, {}, 0), []);
  });

  it('are given after an id, and of the last seconds', async () => {
    const events = await three();
    const [first] = await past(events, { tailEvents: -1 }, 3);
    assert.deepEqual(names(await past(events, { tailId: first?.id ?? '' }, 2)), ['b', 'c']);
    assert.deepEqual(names(await past(events, { tailSeconds: 20 }, 2)), ['b', 'c']);
    await assert.rejects(past(events, { tailId: 'junk' }, 0), /error parsing tail_id: invalid ID/);
  });

  it('are followed', async () => {
    const events = await three();
    const abort = new AbortController();
    const stream = events.stream(NOTHING, abort.signal)[Symbol.asyncIterator]();
    await stream.next();
    const next = stream.next();
    await new Promise((resolve) => setImmediate(resolve));
    events.publish(AddressEventSchema, { hostname: 'd' });
    const { value } = await next;
    assert.deepEqual(names(value === undefined ? [] : [value]), ['d']);
    abort.abort();
  });

  it('are five hundred at most', async () => {
    const events = createNodeEvents(createFakeClock(0), random);
    for (let at = 0; at < 2_000; at++) events.publish(AddressEventSchema, { hostname: `${at}` });
    const kept = await past(events, { tailEvents: -1 }, 500);
    assert.deepEqual([names(kept)[0], names(kept).at(-1)], ['1500', '1999']);
  });
});
