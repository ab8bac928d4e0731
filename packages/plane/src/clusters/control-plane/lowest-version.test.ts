import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lowestVersion } from './lowest-version.ts';

describe('the lowest of some versions', () => {
  const cases: [versions: string[], want: string | undefined][] = [
    [[], undefined],
    [['v1.32.0'], 'v1.32.0'],
    [['v1.32.10', 'v1.32.9', 'v1.33.0'], 'v1.32.9'],
    [['v1.32.0', 'v1.32.0-rc.1', 'v1.32.0-beta.0'], 'v1.32.0-beta.0'],
    [['v1.32.1+build', 'v1.32.2'], 'v1.32.1+build'],
  ];
  for (const [versions, want] of cases) {
    it(`of ${versions.join(', ') || 'none'} is ${want}`, () => assert.equal(lowestVersion(versions), want));
  }
});
