import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeDnsName, readDnsName, skipDnsName } from './dns-name.ts';

const bytes = (...parts: (number | string)[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part, 'latin1'))));

describe('reading names', () => {
  const cases: [name: string, message: Uint8Array, at: number, want: ReturnType<typeof readDnsName>][] = [
    ['the root is empty', bytes(0), 0, { name: '', next: 1 }],
    ['labels are joined by dots', bytes(3, 'www', 2, 'ex', 0), 0, { name: 'www.ex', next: 8 }],
    ['case is kept', bytes(3, 'wWw', 0), 0, { name: 'wWw', next: 5 }],
    [
      'a pointer goes on elsewhere, and the bytes after it are next',
      bytes(2, 'ex', 0, 3, 'www', 0xc0, 0),
      4,
      { name: 'www.ex', next: 10 },
    ],
    [
      'pointers may follow each other',
      bytes(1, 'a', 0, 1, 'b', 0xc0, 0, 1, 'c', 0xc0, 3),
      7,
      { name: 'c.b.a', next: 11 },
    ],
    ['dots and backslashes in labels are escaped', bytes(3, 'a.\\', 0), 0, { name: 'a\\.\\\\', next: 5 }],
    ['other bytes are written as numbers', bytes(2, 0, ' ', 0), 0, { name: '\\000\\032', next: 4 }],
    ['a pointer to itself is refused', bytes(0xc0, 0), 0, undefined],
    ['a pointer forwards is refused', bytes(0xc0, 2, 0), 0, undefined],
    ['two pointers in a circle are refused', bytes(0xc0, 2, 0xc0, 0), 2, undefined],
    ['a loop over a label is refused', bytes(1, 'a', 0xc0, 0), 2, undefined],
    ['a label that runs over the end is refused', bytes(5, 'abc'), 0, undefined],
    ['a name without its end is refused', bytes(3, 'abc'), 0, undefined],
    ['half a pointer is refused', bytes(0xc0), 0, undefined],
    ['other kinds of labels are refused', bytes(0x41, 'a'.repeat(65), 0), 0, undefined],
    [
      'more than 255 bytes are refused',
      bytes(...Array.from({ length: 5 }, () => [60, 'a'.repeat(60)]).flat(), 0),
      0,
      undefined,
    ],
    ['a start behind the end is refused', bytes(0), 7, undefined],
  ];
  for (const [name, message, at, want] of cases) it(name, () => assert.deepEqual(readDnsName(message, at), want));

  it('255 bytes are not too many', () => {
    const longest = bytes(...[63, 63, 63, 61].flatMap((length) => [length, 'a'.repeat(length)]), 0);
    assert.equal(longest.byteLength, 255);
    assert.equal(readDnsName(longest, 0)?.next, 255);
    assert.equal(skipDnsName(longest, 0), 255);
  });

  it('are not skipped where they point at themselves or forwards, so that no such answer is given on', () => {
    assert.equal(skipDnsName(bytes(0, 0xc0, 0), 1), 3);
    assert.equal(skipDnsName(bytes(0, 0xc0, 1), 1), -1);
    assert.equal(skipDnsName(bytes(1, 'a', 0xc0, 9), 0), -1);
  });

  it('rubbish is refused or read, but never crashes, hangs or reads beyond the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(310), (message, at) => {
        const read = readDnsName(message, at);
        const next = skipDnsName(message, at);
        assert.ok(next >= -1 && next <= message.byteLength);
        if (read !== undefined) assert.equal(read.next, next);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('writing names', () => {
  it('gives what is read back', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(label, { maxLength: 8 }), (labels) => {
        const wire = bytes(...labels.flatMap((one) => [one.byteLength, Buffer.from(one).toString('latin1')]), 0);
        const read = readDnsName(wire, 0);
        assert.ok(read !== undefined);
        assert.deepEqual(Buffer.from(encodeDnsName(read.name) ?? []), Buffer.from(wire));
      }),
    );
  });

  const cases: [name: string, text: string, want: Uint8Array | undefined][] = [
    ['the root has two forms', '.', bytes(0)],
    ['the root may be empty', '', bytes(0)],
    ['a last dot makes no difference', 'ex.', bytes(2, 'ex', 0)],
    ['escapes are single bytes', 'a\\.b\\009', bytes(4, 'a.b', 9, 0)],
    ['names beyond ASCII are UTF-8', 'ü', bytes(2, 0xc3, 0xbc, 0)],
    ['an empty label is refused', 'a..b', undefined],
    ['a first dot is refused', '.a', undefined],
    ['a label of 64 bytes is refused', 'a'.repeat(64), undefined],
    ['a name of 256 bytes is refused', `${'a'.repeat(63)}.`.repeat(4), undefined],
    ['an escape without its byte is refused', 'a\\', undefined],
    ['a number above 255 is refused', '\\256', undefined],
    ['half a number is refused', '\\25', undefined],
    ['text without end is refused at once', 'a.'.repeat(100_000), undefined],
  ];
  for (const [name, text, want] of cases)
    it(name, () =>
      assert.deepEqual(encodeDnsName(text) && Buffer.from(encodeDnsName(text) ?? []), want && Buffer.from(want)),
    );
});
