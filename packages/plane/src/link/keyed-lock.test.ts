import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createKeyedLock } from './keyed-lock.ts';

describe('a keyed lock', () => {
  it('runs work of one key in order, also after a failure, and that of others beside it', async () => {
    const lock = createKeyedLock(10);
    const done: string[] = [];
    const gate = Promise.withResolvers<void>();
    const slow = lock.run('a', async () => {
      await gate.promise;
      done.push('a1');
      throw new Error('no');
    });
    const next = lock.run('a', async () => done.push('a2'));
    await lock.run('b', async () => done.push('b1'));
    gate.resolve();
    await assert.rejects(async () => slow, /no/);
    await next;
    assert.deepEqual(done, ['b1', 'a1', 'a2']);
  });
  it('takes no more than its number for one key, and more again later', async () => {
    const lock = createKeyedLock(2);
    const two = [1, 2].map((n) => lock.run('a', async () => n));
    assert.equal(
      lock.run('a', async () => 3),
      undefined,
    );
    assert.equal(await lock.run('b', async () => 4), 4);
    assert.deepEqual(await Promise.all(two), [1, 2]);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await lock.run('a', async () => 5), 5);
  });
});
