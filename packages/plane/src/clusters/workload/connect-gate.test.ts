import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { createConnectGate } from './connect-gate.ts';

describe('the gate of connections', () => {
  it('lets so many begin at a time, the others in order, also after failures', async () => {
    const gate = createConnectGate(2, createFakeClock());
    const begun: number[] = [];
    const ends: ((error?: Error) => void)[] = [];
    const all = [0, 1, 2, 3].map((i) =>
      gate
        .run(() => {
          begun.push(i);
          return new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
        })
        .catch((error: Error) => error.message),
    );
    const settled = () => new Promise((resolve) => setImmediate(resolve));
    await settled();
    assert.deepEqual(begun, [0, 1]);
    ends[1]?.(new Error('no'));
    await settled();
    assert.deepEqual(begun, [0, 1, 2]);
    ends[0]?.();
    ends[2]?.();
    await settled();
    assert.deepEqual(begun, [0, 1, 2, 3]);
    ends[3]?.();
    assert.deepEqual(await Promise.all(all), [undefined, 'no', undefined, undefined]);
  });

  it('is not closed by those that hang', async () => {
    const clock = createFakeClock();
    const gate = createConnectGate(1, clock);
    void gate.run(() => new Promise(() => undefined));
    const second = gate.run(async () => 'through');
    await clock.advance(999);
    let isThrough = false;
    void second.then(() => {
      isThrough = true;
    });
    await clock.advance(0);
    assert.equal(isThrough, false);
    await clock.advance(1);
    assert.equal(await second, 'through');
    assert.equal(await gate.run(async () => 'after'), 'after');
  });
});
