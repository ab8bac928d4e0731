import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatIpv6, parseIpv6 } from './ipv6.ts';

const canonical: [input: string, want: string | undefined][] = [
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['fdae:41e4:649b:9303::1', 'fdae:41e4:649b:9303::1'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
  ['::ffff:a00:1', '::ffff:10.0.0.1'],
  ['::FFFF:0:0', '::ffff:0.0.0.0'],
  ['1::ffff:a00:1', '1::ffff:a00:1'],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1:2:3:4:5:6:7::8', undefined],
  [':1', undefined],
  ['1:::2', undefined],
  ['1.2.3.4::', undefined],
  ['fe80::1%eth0', undefined],
  ['12345::', undefined],
  ['10.0.0.1', undefined],
  ['', undefined],
];

describe('IPv6 text', () => {
  for (const [input, want] of canonical) {
    it(`reads ${JSON.stringify(input)} as ${want ?? 'nothing'}`, () => {
      const bytes = parseIpv6(input);
      assert.equal(bytes === undefined ? undefined : formatIpv6(bytes), want);
    });
  }

  it('gives every address back after a round trip', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        assert.deepEqual(parseIpv6(formatIpv6(bytes)), bytes);
      }),
      { verbose: true },
    );
  });

  it('accepts exactly what Node accepts', () => {
    const text = fc.array(fc.constantFrom(':', '::', '0', 'a', 'ffff', '1.2.3.4', '.', '10')).map((p) => p.join(''));
    fc.assert(
      fc.property(text, (t) => assert.equal(parseIpv6(t) !== undefined, isIPv6(t))),
      { verbose: true, numRuns: 2000 },
    );
  });
});
