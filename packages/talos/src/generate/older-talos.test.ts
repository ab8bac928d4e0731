import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isOlderTalos } from './older-talos.ts';

describe('an older Talos', () => {
  it('asks no more of a version than that it can be read', () => {
    const cases: [version: string | undefined, older: boolean][] = [
      ['v1.4.9', true],
      ['1.4', true],
      ['v0.14.0', true],
      ['v1.5.0-alpha.0', false],
      ['v1.10.1', false],
      ['v2.0.0', false],
      ['v1', false],
      ['latest', false],
      [undefined, false],
    ];
    for (const [version, older] of cases) assert.equal(isOlderTalos(version, [1, 5]), older, version);
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => typeof isOlderTalos(text, [1, 5]) === 'boolean'));
  });
});
