import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { grpcStatusOf } from '@bloomery/grpc';
import { createStreamLimit } from './stream-limit.ts';

async function* numbers(): AsyncGenerator<number> {
  for (let i = 0; ; i++) yield i;
}

describe('a limit of streams', () => {
  it('refuses one too many, until another has ended', async () => {
    const limit = createStreamLimit(2, 'the log of the kernel');
    const [first, second, third] = [limit(numbers()), limit(numbers()), limit(numbers())];
    assert.equal((await first.next()).value, 0);
    assert.equal((await second.next()).value, 0);
    await assert.rejects(third.next(), (error) => grpcStatusOf(error) === 'RESOURCE_EXHAUSTED');
    assert.equal((await second.next()).value, 1);
    await first.return(undefined);
    assert.equal((await limit(numbers()).next()).value, 0);
  });

  it('counts one that fails no longer', async () => {
    const limit = createStreamLimit(1, 'the log of the kernel');
    async function* failing(): AsyncGenerator<number> {
      yield await Promise.reject(new Error('the file is gone'));
    }
    for (let time = 0; time < 3; time++) await assert.rejects(limit(failing()).next(), /the file is gone/);
  });
});
