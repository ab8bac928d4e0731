import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BloomeryError } from '@bloomery/ports';
import { errnoNumber, kernelRefused, refusalErrno } from './kernel-error.ts';

describe('a refusal of the kernel', () => {
  it('names the object, the number and the words of the kernel', () => {
    const error = kernelRefused('adding 10.0.0.5/24 to eth0', { errno: 17, words: 'address already assigned' });
    assert.equal(error.message, 'adding 10.0.0.5/24 to eth0: EEXIST File exists (kernel: address already assigned)');
    assert.deepEqual(error.facts, { errno: 'EEXIST', kernel: 'address already assigned' });
    assert.equal(kernelRefused('x', { errno: 1 }).message, 'x: EPERM Operation not permitted');
  });

  it('is understood by its name, and numbers without one are told', () => {
    assert.equal(refusalErrno(kernelRefused('x', { errno: 19 })), 'ENODEV');
    assert.equal(refusalErrno(kernelRefused('x', { errno: 4711 })), 'errno 4711');
    assert.equal(refusalErrno(new Error('x')), undefined);
    assert.equal(refusalErrno(new BloomeryError('BLM_KERNEL_UNANSWERED', 'x')), undefined);
    for (const name of ['EEXIST', 'ENODEV', 'EOPNOTSUPP', 'EADDRNOTAVAIL', 'ENETUNREACH', 'EBUSY', 'ESRCH'])
      assert.equal(refusalErrno(kernelRefused('x', { errno: errnoNumber(name) })), name);
  });
});
