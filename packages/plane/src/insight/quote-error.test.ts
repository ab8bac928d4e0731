import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { quoteError } from './quote-error.ts';

describe('a quoted error', () => {
  const cases: [name: string, text: string, want: string][] = [
    ['is itself', 'no disk', 'no disk'],
    ['is its first line', '\n  yaml: line 2\nsecret: x', 'yaml: line 2'],
    ['does not move the cursor', 'a\u001b[2J\tb\u0085c\r\nd', 'a [2J b c'],
    ['does not turn or hide text', 'a\u202eb\u200bc', 'a b c'],
    ['is cut', 'x'.repeat(300), 'x'.repeat(200)],
    ['is cut where it stays text', `${'x'.repeat(199)}😀`, `${'x'.repeat(199)}\ufffd`],
    ['may be nothing', ' \n', ''],
  ];
  for (const [name, text, want] of cases) it(name, () => assert.equal(quoteError(text), want));
});
