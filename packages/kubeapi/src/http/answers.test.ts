import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apiError } from '@bloomery/kube';
import { BloomeryError } from '@bloomery/ports';
import { jsonAnswer, shownAnswer, statusAnswer, statusOf, warningText } from './answers.ts';
import { PLAIN_JSON } from './negotiate.ts';

const warnings: [text: string, want: string][] = [
  ['unknown field "spec.typo"', '299 - "unknown field \\"spec.typo\\""'],
  ['a \\ b', '299 - "a \\\\ b"'],
  ['line\nfeed\r\u0000é', '299 - "line feed   "'],
];

describe('answers', () => {
  for (const [text, want] of warnings)
    it(`quote the warning ${JSON.stringify(text)}`, () => assert.equal(warningText(text), want));

  it('say each warning once, and no more than fit into their header', () => {
    const { headers } = jsonAnswer(200, {}, [
      'same',
      'same',
      ...Array.from({ length: 100 }, (_, i) => `${i}${'x'.repeat(200)}`),
    ]);
    const lines = headers['warning'];
    assert.ok(Array.isArray(lines));
    assert.equal(lines[0], '299 - "same"');
    assert.ok(lines.length > 10 && lines.join().length <= 4200, `${lines.length} lines`);
    assert.equal(new Set(lines).size, lines.length);
  });

  it('are JSON on a line, JSON for people, or YAML', () => {
    const body = { kind: 'Thing', spec: { on: 'yes', big: 9007199254740993n } };
    assert.equal(
      shownAnswer(200, body, PLAIN_JSON).body,
      '{"kind":"Thing","spec":{"on":"yes","big":9007199254740993}}\n',
    );
    assert.equal(
      shownAnswer(200, body, { ...PLAIN_JSON, pretty: true }).body,
      '{\n  "kind": "Thing",\n  "spec": {\n    "on": "yes",\n    "big": 9007199254740993\n  }\n}\n',
    );
    const yaml = shownAnswer(200, body, { ...PLAIN_JSON, format: 'yaml' });
    assert.equal(yaml.body, 'kind: Thing\nspec:\n    "on": "yes"\n    big: 9007199254740993\n');
    assert.equal(yaml.headers['content-type'], 'application/yaml');
  });

  it('say when to come back', () => {
    const busy = apiError({
      code: 429,
      reason: 'TooManyRequests',
      message: 'later',
      details: { retryAfterSeconds: 1 },
    });
    assert.deepEqual([statusAnswer(busy).status, statusAnswer(busy).headers['retry-after']], [429, '1']);
  });

  it('tell nothing of faults that are none of the API', () => {
    const { message, code } = statusOf(new TypeError('secret words'));
    assert.deepEqual([code, message], [500, 'Internal error occurred: see the log of the server']);
    const full = statusOf(new BloomeryError('BLM_STORE_WRITE_FAILED', 'the disk is full'));
    assert.deepEqual([full['code'], full['reason'], full['message']], [503, 'ServiceUnavailable', 'the disk is full']);
  });
});
