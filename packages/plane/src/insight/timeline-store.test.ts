import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createFakeClock, silentLog } from '@bloomery/ports';
import type { TimelineDraft, TimelineSubject } from './timeline.ts';
import { openTimeline } from './timeline-store.ts';

const SERVER = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const MAC = 'aa:bb:cc:00:00:07';

function draft(event: string, about: TimelineSubject, more: Partial<TimelineDraft> = {}): TimelineDraft {
  return { source: 'boot', about, stage: 'Offered', severity: 'info', event, summary: event, ...more };
}

describe('the timeline', () => {
  const dir = mkdtempSync(join(tmpdir(), 'blm-timeline-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const clock = createFakeClock(1e12);

  it('finds what happened before a machine had a name', async () => {
    await using timeline = openTimeline({ file: ':memory:', clock, log: silentLog });
    timeline.record(draft('BootOffered', { mac: MAC.toUpperCase() }));
    timeline.record(draft('BootOffered', { mac: 'aa:bb:cc:00:00:08' }));
    timeline.record(draft('Registered', { mac: MAC, server: SERVER }));
    timeline.record(draft('Wiped', { server: SERVER }));
    const events = timeline.query({ about: { server: SERVER } }).map((entry) => `${entry.seq} ${entry.event}`);
    assert.deepEqual(events, ['1 BootOffered', '3 Registered', '4 Wiped']);
  });

  it('takes what an address does for its owner, for a while', async () => {
    const later = createFakeClock(1e12);
    await using timeline = openTimeline({ file: ':memory:', clock: later, log: silentLog });
    timeline.record(draft('Offered', { mac: MAC, address: '10.0.0.7' }));
    timeline.record(draft('KernelServed', { address: '10.0.0.7' }));
    timeline.record(draft('KernelServed', { address: '10.0.0.8' }));
    await later.advance(16 * 60_000);
    timeline.record(draft('TooLate', { address: '10.0.0.7' }));
    timeline.record(draft('Registered', { mac: MAC, server: SERVER }));
    const events = timeline.query({ about: { server: SERVER } }).map((entry) => entry.event);
    assert.deepEqual(events, ['Offered', 'KernelServed', 'Registered']);
  });

  it('goes on counting after a restart', async () => {
    const file = join(dir, 'restart.sqlite');
    const first = openTimeline({ file, clock, log: silentLog });
    first.record(draft('One', { mac: MAC, server: SERVER }));
    await clock.advance(100);
    first.record(draft('Two', { server: SERVER }));
    await first[Symbol.asyncDispose]();
    await using second = openTimeline({ file, clock, log: silentLog });
    second.record(draft('Three', { mac: MAC }));
    assert.deepEqual(
      second.query({ about: { server: SERVER } }).map(({ seq, event }) => [seq, event]),
      [
        [1, 'One'],
        [2, 'Two'],
        [3, 'Three'],
      ],
    );
  });

  it('filters by time, source and position, and gives the newest when there are too many', async () => {
    await using timeline = openTimeline({ file: ':memory:', clock, log: silentLog });
    const startMs = clock.nowMs();
    for (let i = 0; i < 10; i++) {
      timeline.record(draft(`E${i}`, { server: SERVER }, { source: i % 2 === 0 ? 'boot' : 'talos' }));
      await clock.advance(1000);
    }
    const names = (query: object): string[] => timeline.query(query).map((entry) => entry.event);
    assert.deepEqual(names({ sources: ['talos'], afterSeq: 4 }), ['E5', 'E7', 'E9']);
    assert.deepEqual(names({ sinceMs: startMs + 8000 }), ['E8', 'E9']);
    assert.deepEqual(names({ limit: 3 }), ['E7', 'E8', 'E9']);
  });

  it('forgets what is older than 30 days', async () => {
    await using timeline = openTimeline({ file: ':memory:', clock, log: silentLog });
    timeline.record(draft('Old', { server: SERVER }));
    await clock.advance(31 * 24 * 3_600_000);
    timeline.record(draft('New', { server: SERVER }));
    await clock.advance(700_000);
    assert.deepEqual(
      timeline.query({ about: { server: SERVER } }).map((entry) => entry.event),
      ['New'],
    );
  });

  it('tells followers what comes, and ends with their signal', async () => {
    await using timeline = openTimeline({ file: ':memory:', clock, log: silentLog });
    timeline.record(draft('Registered', { mac: MAC, server: SERVER }));
    const stop = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { event } of timeline.follow({ about: { server: SERVER } }, stop.signal)) {
        seen.push(event);
        if (event === 'Last') stop.abort();
      }
    })();
    await clock.advance(0);
    timeline.record(draft('ByMac', { mac: MAC }));
    timeline.record(draft('Other', { server: 'other' }));
    timeline.record(draft('Last', { server: SERVER }));
    await following;
    assert.deepEqual(seen, ['ByMac', 'Last']);
  });

  it('answers 10,000 entries in time and drops oversized facts', async () => {
    await using timeline = openTimeline({ file: ':memory:', clock, log: silentLog });
    for (let i = 0; i < 10_000; i++) timeline.record(draft('E', { server: SERVER }));
    timeline.record(draft('Big', { server: SERVER }, { facts: { text: 'x'.repeat(5000) }, summary: 'y'.repeat(600) }));
    const entries = timeline.query({ about: { server: SERVER }, limit: 20_000 });
    assert.equal(entries.length, 10_000);
    assert.equal(entries.at(-1)?.facts, undefined);
    assert.equal(entries.at(-1)?.summary.length, 500);
  });
});
