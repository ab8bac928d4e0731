import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createFakeClock, type FakeClock } from '@bloomery/ports';
import { memorySessionStore, openSessionFile } from './boot-session-file.ts';
import { createBootSessions } from './boot-session-registry.ts';
import {
  BOOT_MAX_MS,
  CONFIG_AGAIN_MS,
  CONFIG_MAX_MS,
  POWERED_WINDOW_MS,
  SEEN_WINDOW_MS,
} from './boot-session-state.ts';
import type { BootSessions } from './boot-sessions.ts';

const S = '6b121f82-24a8-4611-9d23-fa1a5ba564f0';
const MAC = '52:54:00:77:00:01';
const A = '10.77.0.10';
const B = '10.77.0.66';

function make(store = memorySessionStore): { sessions: BootSessions; clock: FakeClock } {
  const clock = createFakeClock(1_000_000);
  let n = 0;
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(++n);
  return { sessions: createBootSessions({ clock, random, store }), clock };
}

function token(sessions: BootSessions, address = A, ownConfigArgument = false): string {
  const issued = sessions.issue(S, MAC, address, { ownConfigArgument });
  assert.ok(issued.ok, issued.ok ? '' : issued.reason);
  return issued.token;
}

describe('boot sessions', () => {
  it('give nothing while no boot is expected', () => {
    const { sessions } = make();
    assert.deepEqual(sessions.issue(S, MAC, A), { ok: false, reason: 'NoBootExpected' });
    assert.deepEqual(sessions.checkConfig(S, 'x', A), { ok: false, reason: 'NoBootExpected' });
  });
  it('give the token to the first address of a powered machine, again and again, and to no other', () => {
    const { sessions } = make();
    sessions.expectPowered(S);
    const first = token(sessions);
    assert.equal(token(sessions), first);
    assert.deepEqual(sessions.issue(S, MAC, B), { ok: false, reason: 'WrongAddress' });
    assert.equal(sessions.checkConfig(S, first, B).ok, true);
    assert.equal(sessions.checkAgent(S, first).ok, true);
  });
  it('begin a new boot with a new token when its DHCP is seen again', async () => {
    const { sessions, clock } = make();
    sessions.expectSeen(MAC);
    const first = token(sessions);
    await clock.advance(60_000);
    sessions.expectSeen(MAC, S);
    const second = token(sessions, B);
    assert.notEqual(first, second);
    assert.deepEqual(sessions.checkAgent(S, first), { ok: false, reason: 'TokenWrong' });
  });
  it('do not count DHCP that names another machine', () => {
    const { sessions } = make();
    sessions.expectSeen(MAC, 'other');
    assert.deepEqual(sessions.issue(S, MAC, A), { ok: false, reason: 'NoBootExpected' });
  });
  it('are not begun by a card that is not of this machine, whatever its DHCP says', () => {
    const { sessions } = make();
    sessions.expectSeen(MAC, S);
    sessions.expectPowered(S);
    assert.deepEqual(sessions.issue(S, MAC, A, { isForeignCard: true }), { ok: false, reason: 'NoBootExpected' });
  });
  it('are not ended by a stranger: the token of the machine under way stays good', () => {
    const { sessions, clock } = make();
    sessions.expectPowered(S);
    const mine = sessions.issue(S, MAC, A);
    assert.ok(mine.ok);
    void clock.advance(2_000);
    sessions.expectSeen('66:66:66:66:66:66', S);
    assert.equal(sessions.issue(S, '66:66:66:66:66:66', B, { isForeignCard: true }).ok, false);
    assert.deepEqual(sessions.checkAgent(S, mine.token), { ok: true });
  });
  it('refuse the configuration without or with a wrong token', () => {
    const { sessions } = make();
    sessions.expectPowered(S);
    token(sessions);
    assert.deepEqual(sessions.checkConfig(S, undefined, A), { ok: false, reason: 'TokenMissing' });
    assert.deepEqual(sessions.checkConfig(S, '', A), { ok: false, reason: 'TokenMissing' });
    assert.deepEqual(sessions.checkConfig(S, 'AQEBAQEBAQEBAQEBAQEBAA', A), { ok: false, reason: 'TokenWrong' });
  });
  it('let the address decide where the Environment brings its own argument', () => {
    const { sessions } = make();
    sessions.expectPowered(S);
    token(sessions, A, true);
    assert.deepEqual(sessions.checkConfig(S, undefined, A), { ok: true });
    assert.deepEqual(sessions.checkConfig(S, undefined, B), { ok: false, reason: 'WrongAddress' });
    assert.deepEqual(sessions.checkAgent(S, undefined), { ok: false, reason: 'TokenMissing' });
  });
  it('end with the windows', async () => {
    const powered = make();
    powered.sessions.expectPowered(S);
    await powered.clock.advance(POWERED_WINDOW_MS);
    assert.equal(powered.sessions.issue(S, MAC, A).ok, false);
    const seen = make();
    seen.sessions.expectSeen(MAC);
    await seen.clock.advance(SEEN_WINDOW_MS);
    assert.equal(seen.sessions.issue(S, MAC, A).ok, false);
    const fetched = make();
    fetched.sessions.expectPowered(S);
    const t = token(fetched.sessions);
    assert.equal(fetched.sessions.checkConfig(S, t, A).ok, true);
    await fetched.clock.advance(CONFIG_AGAIN_MS - 1);
    assert.equal(fetched.sessions.checkConfig(S, t, A).ok, true);
    await fetched.clock.advance(1);
    assert.deepEqual(fetched.sessions.checkConfig(S, t, A), { ok: false, reason: 'Expired' });
    const old = make();
    old.sessions.expectPowered(S);
    const u = token(old.sessions);
    await old.clock.advance(CONFIG_MAX_MS);
    assert.deepEqual(old.sessions.checkConfig(S, u, A), { ok: false, reason: 'Expired' });
    assert.equal(old.sessions.checkAgent(S, u).ok, true);
    await old.clock.advance(BOOT_MAX_MS);
    assert.deepEqual(old.sessions.checkAgent(S, u), { ok: false, reason: 'Expired' });
  });
  it('are over when they are closed', () => {
    const { sessions } = make();
    sessions.expectPowered(S);
    const t = token(sessions);
    sessions.close(S);
    assert.deepEqual(sessions.checkConfig(S, t, A), { ok: false, reason: 'NoBootExpected' });
  });
  it('survive a restart, also with a torn last line, in a file of mode 0600', () => {
    const dir = mkdtempSync(join(tmpdir(), 'boot-sessions-'));
    const path = join(dir, 'boot-sessions.jsonl');
    try {
      const before = make(openSessionFile(path, () => assert.fail('the file must be writable'))).sessions;
      before.expectPowered(S);
      before.expectSeen('52:54:00:77:00:02');
      const t = token(before);
      writeFileSync(path, `${readFileSync(path, 'utf8')}{"type":"closed","ser`);
      const { sessions } = make(openSessionFile(path, () => assert.fail('the file must be writable')));
      assert.equal(sessions.checkConfig(S, t, A).ok, true);
      assert.equal(token(sessions), t);
      assert.equal(sessions.issue('other', '52:54:00:77:00:02', B).ok, true);
      assert.equal(statSync(path).mode & 0o777, 0o600);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
  it('keep their file small', () => {
    const dir = mkdtempSync(join(tmpdir(), 'boot-sessions-'));
    const path = join(dir, 'boot-sessions.jsonl');
    try {
      const { sessions } = make(openSessionFile(path, () => assert.fail('the file must be writable')));
      for (let i = 0; i < 5_000; i++) sessions.expectPowered(S);
      assert.ok(statSync(path).size < 300_000);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('go on from memory when their file cannot be written: a disk that is full ends nothing', () => {
    const told: unknown[] = [];
    const file = openSessionFile(join(mkdtempSync(join(tmpdir(), 'bloomery-sessions-')), 'sessions'), (error) =>
      told.push(error),
    );
    const { sessions } = make(file);
    file.close();
    sessions.expectPowered(S);
    assert.equal(sessions.issue(S, MAC, A).ok, true);
    assert.ok(told.length > 0);
  });
});
