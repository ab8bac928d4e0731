import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseDump } from './kernel-device.ts';

const KEY = 'XKe00RWj3kHMBrOhzXYPf8GpkbCCz5iqjwFdQs+bBBw=';

describe('the state of a kernel device', () => {
  it('is read from wg show dump', () => {
    const text = [
      `secret\t${KEY}\t51821\toff`,
      `${KEY}\t(none)\t10.0.0.2:4242\tfd00::2/128,fd00::3/128\t1700000000\t10\t20\t25`,
      `${KEY}\t(none)\t(none)\t(none)\t0\t0\t0\toff`,
      '',
    ].join('\n');
    assert.deepEqual(parseDump(text), {
      listenPort: 51821,
      peers: [
        {
          publicKey: KEY,
          allowedIps: ['fd00::2/128', 'fd00::3/128'],
          endpoint: '10.0.0.2:4242',
          keepaliveSeconds: 25,
          lastHandshakeMs: 1_700_000_000_000,
          receivedBytes: 10,
          sentBytes: 20,
        },
        { publicKey: KEY, allowedIps: [], keepaliveSeconds: 0, receivedBytes: 0, sentBytes: 0 },
      ],
    });
  });

  it('never throws, whatever is printed', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom('(none)', 'off', '0', KEY, '\t', '\n'));
    fc.assert(fc.property(fc.array(word), (words) => void parseDump(words.join('\t'))));
  });
});
