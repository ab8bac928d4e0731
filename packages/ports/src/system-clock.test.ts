import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from './system-clock.ts';

const DAY_MS = 86_400_000;

describe('the real clock', () => {
  it('calls after the delay, also when it is longer than a timer of Node can be', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let calls = 0;
    systemClock.after(60 * DAY_MS, () => (calls += 1));
    const after: number[] = [];
    for (let day = 1; day <= 63; day++) {
      t.mock.timers.tick(DAY_MS);
      after.push(calls);
    }
    assert.deepEqual([after[0], after[24], after[58], after[62]], [0, 0, 0, 1]);
  });

  it('does not take a delay of months for none', async () => {
    let isCalled = false;
    const cancel = systemClock.after(2 ** 32, () => {
      isCalled = true;
    });
    await systemClock.sleep(20);
    cancel();
    assert.equal(isCalled, false);
  });

  it('forgets a cancelled timer, also in a later part of it', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let calls = 0;
    const cancel = systemClock.after(60 * DAY_MS, () => (calls += 1));
    t.mock.timers.tick(30 * DAY_MS);
    cancel();
    t.mock.timers.tick(40 * DAY_MS);
    assert.equal(calls, 0);
  });

  it('sleeps no longer than its signal allows', async () => {
    const abort = new AbortController();
    const slept = systemClock.sleep(60 * DAY_MS, abort.signal);
    abort.abort();
    await slept;
    await systemClock.sleep(60 * DAY_MS, abort.signal);
  });
});
