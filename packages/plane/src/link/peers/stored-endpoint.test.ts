import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isStorableEndpoint } from './stored-endpoint.ts';

describe('an endpoint that may be stored and used again', () => {
  const cases: [text: string, want: boolean][] = [
    ['10.0.0.1:51821', true],
    ['[fd00::1]:1', true],
    ['[::ffff:10.0.0.1]:65535', true],
    ['10.0.0.1:0', false],
    ['10.0.0.1:65536', false],
    ['10.0.0.256:1', false],
    ['10.0.0.1', false],
    ['[fe80::1%eth0]:1', false],
    ['fd00::1:1', false],
    ['host:1', false],
    ['10.0.0.1:1\nlisten_port=1', false],
    ['', false],
  ];
  for (const [text, want] of cases) {
    it(`${JSON.stringify(text)}: ${want}`, () => assert.equal(isStorableEndpoint(text), want));
  }

  it('never holds what breaks a line of a request', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (isStorableEndpoint(text)) assert.match(text, /^[0-9a-fA-F:.[\]]+$/);
      }),
    );
  });
});
