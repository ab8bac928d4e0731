import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isReportDue, type LinkReport, linkReport } from './link-state.ts';

const at = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

describe('the state of a machine on the link', () => {
  const cases: [name: string, handshakeMs: number | undefined, nowMs: number, want: LinkReport][] = [
    ['is never before the first handshake', undefined, 1e6, { link: 'never' }],
    ['is up after a handshake', 1e6, 1e6 + 274_999, { link: 'up', lastHandshake: at(1e6) }],
    ['is down after 275 s of silence', 1e6, 1e6 + 275_000, { link: 'down', lastHandshake: at(1e6) }],
  ];
  for (const [name, handshakeMs, nowMs, want] of cases) {
    const peer = handshakeMs === undefined ? {} : { lastHandshakeMs: handshakeMs };
    it(name, () => assert.deepEqual(linkReport(peer, nowMs), want));
  }

  const due: [name: string, have: LinkReport | undefined, next: LinkReport, want: boolean][] = [
    ['nothing known yet', undefined, { link: 'never' }, true],
    ['first handshake', { link: 'never' }, { link: 'up', lastHandshake: at(0) }, true],
    ['a fresh handshake', { link: 'up', lastHandshake: at(0) }, { link: 'up', lastHandshake: at(120_000) }, false],
    ['ten minutes later', { link: 'up', lastHandshake: at(0) }, { link: 'up', lastHandshake: at(600_000) }, true],
    ['a restarted device', { link: 'up', lastHandshake: at(0) }, { link: 'never' }, false],
    ['silence', { link: 'up', lastHandshake: at(0) }, { link: 'down', lastHandshake: at(0) }, true],
  ];
  for (const [name, have, next, want] of due) {
    it(`${want ? 'writes' : 'does not write'}: ${name}`, () => assert.equal(isReportDue(have, next), want));
  }
});
