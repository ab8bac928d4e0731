import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StreamFramer } from './stream-framer.ts';

describe('messages of a stream', () => {
  it('come out whole however the bytes come in', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 });
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sent, sizes) => {
        const stream = Buffer.concat(
          sent.flatMap((one) => [Buffer.of(one.byteLength >>> 8, one.byteLength & 255), one]),
        );
        const got: string[] = [];
        const framer = new StreamFramer((message) => got.push(Buffer.from(message).toString('hex')));
        for (let at = 0, i = 0; at < stream.byteLength; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          framer.push(stream.subarray(at, at + size));
          at += size;
        }
        assert.deepEqual(
          got,
          sent.map((one) => Buffer.from(one).toString('hex')),
        );
        assert.equal(framer.isPartial, false);
      }),
    );
  });
  it('a beginning is partial', () => {
    const framer = new StreamFramer(() => assert.fail('there is no message'));
    framer.push(Buffer.of(0, 5, 1, 2));
    assert.equal(framer.isPartial, true);
  });
});
