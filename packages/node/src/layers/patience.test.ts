import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPatience } from './patience.ts';

const UNDONE =
  /^BloomeryError: putting it: more than 3 times in a row; somebody else undoes it, or the kernel takes it/;

describe('patience with what is undone again and again', () => {
  it('ends when something was done too often, whatever was at rest in between', () => {
    const patience = createPatience(3);
    for (let i = 0; i < 3; i++) {
      patience.spend('a', i * 9_000, 'putting it');
      patience.rest('a');
    }
    patience.spend('b', 27_000, 'putting it');
    assert.throws(() => patience.spend('a', 27_000, 'putting it'), UNDONE);
    assert.throws(() => patience.spend('a', 28_000, 'putting it'), UNDONE);
  });

  it('begins anew after ten seconds at rest, but not by time alone', () => {
    const patience = createPatience(3);
    for (let i = 0; i < 3; i++) patience.spend('a', i, 'putting it');
    assert.throws(() => patience.spend('a', 3_600_000, 'putting it'), UNDONE);
    patience.rest('a');
    assert.throws(() => patience.spend('a', 3_609_999, 'putting it'), UNDONE);
    patience.rest('a');
    for (let i = 0; i < 3; i++) patience.spend('a', 3_619_999 + i, 'putting it');
    assert.throws(() => patience.spend('a', 3_620_003, 'putting it'), UNDONE);
  });

  it('begins anew with what is looked after anew', () => {
    const patience = createPatience(1);
    patience.spend('a', 0, 'putting it');
    patience.forget('a');
    assert.doesNotThrow(() => patience.spend('a', 1, 'putting it'));
  });
});
