import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dhcpSearchList, readDhcpSearchList } from './dhcp-search-list.ts';

/** The example of RFC 3397 section 2, in one piece. */
const EXAMPLE = Buffer.from('\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04', 'latin1');

describe('search domains of DHCP', () => {
  it('are read as in the example of the RFC', () => {
    assert.deepEqual(readDhcpSearchList(EXAMPLE), ['eng.apple.com', 'marketing.apple.com']);
  });
  it('come back as they were sent', () => {
    const domains = ['lab.example', 'example', 'a-b.c_d.e'];
    assert.deepEqual(readDhcpSearchList(dhcpSearchList(domains)), domains);
  });
  const refused: [name: string, bytes: string][] = [
    ['a name that is cut', '\x03en'],
    ['a name without its end', '\x03eng'],
    ['a pointer to itself', '\xc0\x00'],
    ['pointers that lead in a circle', '\x01a\xc0\x00'],
    ['a pointer forwards', '\xc0\x04\x00\x00\x01a\x00'],
    ['half a pointer', '\x01a\x00\xc0'],
    ['a reserved label length', '\x80abc\x00'],
    ['blanks and line ends, which would change resolv.conf', '\x05a\nb c\x00'],
    ['a name longer than 253 bytes', `${`\x3f${'a'.repeat(63)}`.repeat(4)}\x00`],
  ];
  for (const [name, bytes] of refused) {
    it(`are refused with ${name}`, () => {
      assert.equal(readDhcpSearchList(Buffer.from(bytes, 'latin1')), undefined);
    });
  }
  it('are at most 32, and the root is none', () => {
    assert.equal(readDhcpSearchList(dhcpSearchList(Array.from({ length: 40 }, (_, i) => `d${i}`)))?.length, 32);
    assert.deepEqual(readDhcpSearchList(Uint8Array.of(0, 0)), []);
  });
  it('never break their reader, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void readDhcpSearchList(bytes)),
      { numRuns: 10_000, interruptAfterTimeLimit: 5_000 },
    );
  });
});
