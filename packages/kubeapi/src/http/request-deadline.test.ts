import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFakeClock } from '@bloomery/ports';
import { REQUEST_TIMEOUT_MS, requestTimeoutMs, withinDeadline } from './request-deadline.ts';

const cases: [text: string | null, wantMs: number][] = [
  [null, REQUEST_TIMEOUT_MS],
  ['', REQUEST_TIMEOUT_MS],
  ['0', REQUEST_TIMEOUT_MS],
  ['0s', REQUEST_TIMEOUT_MS],
  ['-5s', REQUEST_TIMEOUT_MS],
  ['34s', 34_000],
  ['1.5s', 1500],
  ['200ms', 200],
  ['1h', REQUEST_TIMEOUT_MS],
];

describe('the time that a request may take', () => {
  for (const [text, wantMs] of cases)
    it(`is ${wantMs} ms for timeout=${text}`, () => assert.equal(requestTimeoutMs(text), wantMs));

  for (const text of ['abc', '5', '1m 2s', '1y', '1'.repeat(1000)])
    it(`is refused for timeout=${text.slice(0, 8)}`, () =>
      assert.throws(() => requestTimeoutMs(text), {
        code: 'BLM_API_BAD_REQUEST',
        message: `invalid timeout specified in the request URL - time: invalid duration "${text.slice(0, 64)}"`,
      }));

  it('ends with 504', async () => {
    const clock = createFakeClock();
    const never = withinDeadline(clock, 1000, new Promise(() => {}));
    const refused = assert.rejects(never, { message: 'Timeout: request did not complete within the allotted timeout' });
    await clock.advance(1000);
    await refused;
  });

  it('gives what came in time, also a failure', async () => {
    const clock = createFakeClock();
    assert.equal(await withinDeadline(clock, 1000, Promise.resolve(7)), 7);
    await assert.rejects(withinDeadline(clock, 1000, Promise.reject(new RangeError('no'))), RangeError);
  });
});
