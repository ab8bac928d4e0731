import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIpv4 } from './ipv4.ts';
import { parseMac } from './mac.ts';

describe('addresses as text', () => {
  it('hardware addresses are read in every notation', () => {
    const cases: [text: string, want: string | undefined][] = [
      ['52-54-00-77-00-0A', '52:54:00:77:00:0a'],
      ['52:54:00:77:00:01', '52:54:00:77:00:01'],
      ['5254.0077.0001', '52:54:00:77:00:01'],
      ['02-00-5e-10-00-00-00-01', '02:00:5e:10:00:00:00:01'],
      ['52:54-00:77:00:01', undefined],
      ['52:54:00:77:00', undefined],
      ['525400770001', undefined],
      ['', undefined],
      ['zz:54:00:77:00:01', undefined],
      ['52:'.repeat(1000), undefined],
    ];
    for (const [text, want] of cases) assert.equal(parseMac(text), want, text);
  });
  it('dotted quads are read exactly', () => {
    assert.deepEqual(parseIpv4('10.0.0.255'), Uint8Array.of(10, 0, 0, 255));
    for (const bad of ['10.0.0.256', '10.0.0', '010.0.0.1', '1.2.3.4 ', ''])
      assert.equal(parseIpv4(bad), undefined, bad);
  });
});
