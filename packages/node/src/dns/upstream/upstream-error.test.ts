import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isOverTcp, isOwnTrouble, overTcp, upstreamError, upstreamReason } from './upstream-error.ts';

const ofSystem = (code: string, errno: number): Error => Object.assign(new Error(`connect ${code}`), { code, errno });

describe('why an upstream was not reached', () => {
  const reasons: [name: string, error: unknown, want: string][] = [
    ['is short', upstreamError('1.1.1.1:53', 'timeout'), 'timeout'],
    ['is in words of the system', ofSystem('ECONNREFUSED', -111), 'connection refused'],
    ['is what an error says', new Error('certificate has expired'), 'certificate has expired'],
    ['is what was thrown', 'odd', 'odd'],
    ['stays when it was over TCP', overTcp(upstreamError('1.1.1.1:53', 'timeout')), 'timeout'],
  ];
  for (const [name, error, want] of reasons) it(name, () => assert.equal(upstreamReason(error), want));

  it('names the upstream', () =>
    assert.equal(upstreamError('1.1.1.1:53', 'connection refused').message, '1.1.1.1:53: connection refused'));
  it('is of this host when that has no descriptors, memory or ports left', () => {
    for (const code of ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])
      assert.equal(isOwnTrouble(upstreamError('it', 'x', ofSystem(code, -1))), true, code);
    assert.equal(isOwnTrouble(upstreamError('it', 'x', ofSystem('ECONNREFUSED', -111))), false);
    assert.equal(isOwnTrouble(upstreamError('it', 'timeout')), false);
    assert.equal(isOwnTrouble(overTcp(upstreamError('it', 'x', ofSystem('EMFILE', -24)))), true, 'over TCP, too');
  });
  it('may be of its connections alone', () => {
    assert.equal(isOverTcp(overTcp(upstreamError('it', 'connection refused'))), true);
    assert.equal(isOverTcp(upstreamError('it', 'connection refused')), false);
    assert.equal(overTcp('odd'), 'odd');
  });
});
