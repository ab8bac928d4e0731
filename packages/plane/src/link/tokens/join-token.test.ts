import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  isTokenName,
  type JoinToken,
  judgeJoinToken,
  newTokenText,
  readJoinToken,
  writeJoinToken,
} from './join-token.ts';
import { isSignedToken } from './signed-token.ts';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const UUID = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const OTHER = '6b121f82-24a8-4611-9d23-fa1a5ba564f1';
const plain = (rest: Partial<JoinToken> = {}): JoinToken => ({
  name: 'rack-1',
  token: 'secret',
  created: '2026-01-01T00:00:00Z',
  ...rest,
});

describe('a join token', () => {
  const cases: [name: string, token: Partial<JoinToken>, text: string | undefined, want: string][] = [
    ['lets a machine in', {}, 'secret', 'ok'],
    ['that is absent lets nobody in', {}, undefined, 'missing'],
    ['that is empty lets nobody in', {}, '', 'missing'],
    ['that is another lets nobody in', {}, 'Secret', 'unknown'],
    ['holds until it expires', { expires: '2026-01-01T12:00:01Z' }, 'secret', 'ok'],
    ['that expired lets nobody in', { expires: '2026-01-01T12:00:00Z' }, 'secret', 'expired'],
    ['whose expiry cannot be read lets nobody in', { expires: 'soon' }, 'secret', 'expired'],
    ['that was revoked lets nobody in', { revoked: '2026-01-01T00:00:00Z' }, 'secret', 'revoked'],
    ['that is pinned lets its machine in', { pin: UUID }, 'secret', 'ok'],
    ['that is pinned elsewhere does not', { pin: OTHER }, 'secret', 'pinned'],
    ['with uses left lets another machine in', { uses: 2, usedBy: [OTHER] }, 'secret', 'ok'],
    ['that is used up does not', { uses: 1, usedBy: [OTHER] }, 'secret', 'used-up'],
    ['that is used up lets its machines come again', { uses: 1, usedBy: [UUID] }, 'secret', 'ok'],
    ['with no uses at all lets nobody in', { uses: 0 }, 'secret', 'used-up'],
  ];
  for (const [name, rest, text, want] of cases) {
    it(name, () => {
      const tokens = [plain({ name: 'other', token: 'x' }), plain(rest), plain({ name: 'third', token: 'y' })];
      const verdict = judgeJoinToken(tokens, text, UUID, NOW);
      assert.equal(verdict.ok ? 'ok' : verdict.reason, want);
      if (verdict.ok) assert.equal(verdict.token.name, 'rack-1');
    });
  }
  it('is found in no other text, whatever that is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), (text) => {
        fc.pre(text !== 'secret');
        assert.equal(judgeJoinToken([plain()], text, UUID, NOW).ok, false);
        assert.equal(judgeJoinToken([plain()], `v1:${text}`, UUID, NOW).ok, false);
      }),
      { interruptAfterTimeLimit: 5_000 },
    );
  });
  it('is written and read back', () => {
    const full = plain({ expires: '2026-02-01T00:00:00Z', uses: 2, usedBy: [UUID], pin: UUID, revoked: 'x' });
    for (const token of [plain(), full]) assert.deepEqual(readJoinToken(token.name, writeJoinToken(token)), token);
  });
  it('that is damaged is none', () => {
    const encode = (text: string): string => Buffer.from(text).toString('base64');
    const texts = ['', '{', 'null', '[]', '{}', '{"token":""}', '{"token":1}', '{"token":"x","uses":1.5}'];
    for (const text of [...texts, '{"token":"x","usedBy":[1]}', '{"token":"x","pin":null}']) {
      assert.equal(readJoinToken('a', encode(text)), undefined, text);
    }
    fc.assert(
      fc.property(fc.json(), (text) => {
        const read = readJoinToken('a', encode(text));
        assert.ok(read === undefined || typeof read.token === 'string');
      }),
    );
  });
  it('has a text of 43 characters that no other has', () => {
    const texts = new Set(Array.from({ length: 200 }, () => newTokenText((length) => randomBytes(length))));
    assert.equal(texts.size, 200);
    for (const text of texts) assert.match(text, /^[0-9A-Za-z]{43}$/);
    assert.equal(
      newTokenText((length) => new Uint8Array(length)),
      '0'.repeat(43),
    );
    assert.match(
      newTokenText((length) => new Uint8Array(length).fill(255)),
      /^[0-9A-Za-z]{43}$/,
    );
  });
  it('has a short name of small letters', () => {
    for (const good of ['a', 'rack-1', '0', 'a'.repeat(63)]) assert.ok(isTokenName(good), good);
    for (const bad of ['', '-a', 'a-', 'A', 'a.b', 'a/b', 'a'.repeat(64), 'ä']) assert.ok(!isTokenName(bad), bad);
  });
});

describe('a token text that Omni signed', () => {
  const sign = (data: string, key = 'secret'): string => createHmac('sha256', key).update(data).digest('base64');
  const signed = (version: string, extra: object | undefined, signature: string): string =>
    `${version}:${Buffer.from(JSON.stringify({ extra_data: extra, signature })).toString('base64')}`;
  it('counts as the token that signed it, its data in the order of their names', () => {
    const extra = { b: '2', a: '1' };
    for (const version of ['v1', 'v2']) {
      const text = signed(version, extra, sign('{"a":"1","b":"2"}'));
      assert.equal(judgeJoinToken([plain()], text, UUID, NOW).ok, true);
      assert.equal(judgeJoinToken([plain({ token: 'other' })], text, UUID, NOW).ok, false);
      assert.equal(judgeJoinToken([plain({ revoked: 'x' })], text, UUID, NOW).ok, false);
    }
  });
  it('is refused with other data, another signature, or none', () => {
    const good = sign('{"a":"1"}');
    assert.ok(isSignedToken(signed('v1', { a: '1' }, good), 'secret'));
    for (const text of [
      signed('v1', { a: '2' }, good),
      signed('v1', { a: 1 }, good),
      signed('v1', { a: '1' }, ''),
      signed('v3', { a: '1' }, good),
      'v1:',
      'v1:e30=',
    ]) {
      assert.ok(!isSignedToken(text, 'secret'), text);
    }
  });
});
