import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { unifiedDiff } from './unified-diff.ts';

describe('unified differences', () => {
  const dir = mkdtempSync(join(tmpdir(), 'diff-'));
  after(() => rmSync(dir, { recursive: true, force: true }));

  it('are empty for the same text', () => assert.equal(unifiedDiff('a\nb\n', 'a\nb\n'), ''));

  it('show the lines around a change, in the form of diff -u', () => {
    const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
    assert.equal(
      unifiedDiff(before, before.replace('e\n', 'E\n')),
      '--- a\n+++ b\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n',
    );
  });

  it('show what is added to nothing', () => {
    assert.equal(unifiedDiff('', 'a\n'), '--- a\n+++ b\n@@ -0,0 +1 @@\n+a\n');
  });

  it('do not search for the shortest way through thousands of changes', () => {
    const numbers = (from: number): string => Array.from({ length: 5_000 }, (_, at) => `${from + at}\n`).join('');
    const diff = unifiedDiff(numbers(0), numbers(100_000));
    assert.equal(diff.split('\n').filter((line) => line.startsWith('-')).length, 5_001);
  });

  it('say so when the texts are too large', () => {
    assert.match(unifiedDiff('a\n'.repeat(40_000), 'b\n'.repeat(40_000)), /^@@ -1,40000 \+1,40000 @@ diff too large/);
  });

  it('make the new text of the old one when patch applies them', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 })
      .map((lines) => lines.map((l) => `${l}\n`).join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after);
        const file = join(dir, 'a');
        writeFileSync(file, before);
        execFileSync('patch', ['-s', file], { input: unifiedDiff(before, after) });
        assert.equal(execFileSync('cat', [file]).toString(), after);
      }),
      { numRuns: 40 },
    );
  });
});
