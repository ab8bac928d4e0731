import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseKernelArguments } from './kernel-arguments.ts';

describe('kernel arguments', () => {
  it('have all values of a name in order, the first and the last', () => {
    const given = parseKernelArguments('quiet ip=a:dhcp console=tty0 ip=b:dhcp\n');
    assert.deepEqual(given.all('ip'), ['a:dhcp', 'b:dhcp']);
    assert.deepEqual([given.first('ip'), given.last('ip')], ['a:dhcp', 'b:dhcp']);
    assert.deepEqual([given.first('quiet'), given.first('loud'), given.all('loud')], ['', undefined, []]);
  });
  const words: [name: string, text: string, value: string | undefined][] = [
    ['keep blanks of a quoted value', 'x="a b" y', 'a b'],
    ['keep blanks of a quoted word', '"x=a b" y', 'a b'],
    ['end an open quote with the line', 'x="a b', 'a b'],
    ['keep further equal signs', 'x=http_proxy=http://p:1/?a=b', 'http_proxy=http://p:1/?a=b'],
    ['may be parted by tabs and lines', 'y\tx=1\nz', '1'],
    ['may be empty', 'x=', ''],
    ['do not fit other names', 'xx=1 ax=2', undefined],
  ];
  for (const [name, text, value] of words) {
    it(name, () => assert.equal(parseKernelArguments(text).first('x'), value));
  }
  it('are read whatever they are, and only so many', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseKernelArguments(text).all('ip')));
    assert.equal(parseKernelArguments('a '.repeat(100_000)).all('a').length, 2_048);
  });
});
