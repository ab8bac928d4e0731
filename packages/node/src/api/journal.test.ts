import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createJournal, type Journal } from './journal.ts';

const make = (maxSize: number): Journal<string> =>
  createJournal<string>({ maxSize, sizeOf: (item) => item.length, lost: (count) => `lost ${count}` });

function followed(journal: Journal<string>, past: readonly string[], signal: AbortSignal): AsyncIterator<string> {
  const items = journal.follow(past, signal);
  assert.ok(items !== undefined);
  return items[Symbol.asyncIterator]();
}

describe('a journal', () => {
  it('keeps the last items, as many as there is room for', () => {
    const journal = make(10);
    for (let at = 0; at < 100; at++) journal.append(`${at % 10}`);
    assert.deepEqual(journal.items.join(''), '0123456789');
  });

  it('keeps the last item however large it is', () => {
    const journal = make(10);
    journal.append('a');
    journal.append('x'.repeat(100));
    assert.deepEqual(journal.items, ['x'.repeat(100)]);
  });

  it('is followed from what one knows on', async () => {
    const journal = make(100);
    journal.append('a');
    const abort = new AbortController();
    const items = followed(journal, journal.items, abort.signal);
    assert.equal((await items.next()).value, 'a');
    const next = items.next();
    journal.append('b');
    assert.equal((await next).value, 'b');
    abort.abort();
    assert.equal((await items.next()).done, true);
  });

  it('ends for a follower who waits when he goes', async () => {
    const abort = new AbortController();
    const next = followed(make(10), [], abort.signal).next();
    abort.abort();
    assert.equal((await next).done, true);
  });

  it('tells a slow follower how much he lost', async () => {
    const journal = make(10);
    const items = followed(journal, [], new AbortController().signal);
    const first = items.next();
    journal.append('first');
    assert.equal((await first).value, 'first');
    for (let at = 0; at < 1_500; at++) journal.append(`${at}`);
    assert.equal((await items.next()).value, 'lost 500');
    assert.equal((await items.next()).value, '500');
  });

  it('has room for followers again when some have gone', () => {
    const journal = make(10);
    const abort = new AbortController();
    for (let at = 0; at < 64; at++) assert.ok(journal.follow([], abort.signal) !== undefined);
    assert.equal(journal.follow([], abort.signal), undefined);
    abort.abort();
    assert.ok(journal.follow([], new AbortController().signal) !== undefined);
  });
});
