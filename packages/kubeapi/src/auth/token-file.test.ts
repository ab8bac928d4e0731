import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createFakeClock, type FakeClock, type Logger, silentLog } from '@bloomery/ports';
import { parseTokenFile, staticTokens, tokensOfFile } from './token-file.ts';

describe('a token file', () => {
  const lines: [line: string, user: unknown][] = [
    ['token-one,jane,', { name: 'jane', groups: ['system:authenticated'] }],
    ['token-one,jane', undefined],
    ['token-one,jane,7', { name: 'jane', uid: '7', groups: ['system:authenticated'] }],
    ['token-one,jane,7,"a,b"', { name: 'jane', uid: '7', groups: ['a', 'b', 'system:authenticated'] }],
    ['token-one,jane,,dev', { name: 'jane', groups: ['dev', 'system:authenticated'] }],
    ['short,jane', undefined],
    ['token-one', undefined],
    ['token-one,', undefined],
    ['# token-one,jane', undefined],
    ['', undefined],
  ];
  for (const [line, user] of lines)
    it(`reads ${JSON.stringify(line)}`, () => assert.deepEqual(staticTokens(parseTokenFile(line))('token-one'), user));

  it('keeps no token, only its digest', () => {
    const kept = JSON.stringify(parseTokenFile('token-one,jane,'));
    assert.ok(!kept.includes('token-one'));
  });
});

describe('a token file that changes', () => {
  let dir: string;
  let file: string;
  let clock: FakeClock;
  let logged: string[];
  const log: Logger = { ...silentLog, info: (event) => logged.push(event), warn: (event) => logged.push(event) };
  const write = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'bloomery-tokens-'));
    file = join(dir, 'tokens.csv');
    clock = createFakeClock(1000);
    logged = [];
    write('token-one,jane,\n');
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('is read again within a second: new tokens are known, removed ones are not', async () => {
    const find = tokensOfFile(file, clock, log);
    assert.equal(find('token-one')?.name, 'jane');
    write('token-two,bob,\n');
    await clock.advance(1000);
    assert.deepEqual([find('token-one')?.name, find('token-two')?.name], [undefined, 'bob']);
    assert.deepEqual(logged, ['api.tokens-reloaded']);
  });

  it('is looked at once a second at most', async () => {
    const find = tokensOfFile(file, clock, log);
    assert.equal(find('token-one')?.name, 'jane');
    write('token-two,bob,\n');
    assert.equal(find('token-one')?.name, 'jane');
    await clock.advance(999);
    assert.equal(find('token-one')?.name, 'jane');
  });

  it('keeps its last state while it cannot be read', async () => {
    const find = tokensOfFile(file, clock, log);
    assert.equal(find('token-one')?.name, 'jane');
    rmSync(file);
    await clock.advance(1000);
    assert.equal(find('token-one')?.name, 'jane');
    assert.deepEqual(logged, ['api.tokens-unreadable']);
    write('token-two,bob,\n');
    await clock.advance(1000);
    assert.deepEqual([find('token-one')?.name, find('token-two')?.name], [undefined, 'bob']);
  });

  it('is followed also by a clock that was set back', () => {
    let now = 1_000_000;
    const find = tokensOfFile(file, { ...clock, nowMs: () => now }, log);
    assert.equal(find('token-one')?.name, 'jane');
    write('token-two,bob,\n');
    now = 5000;
    assert.equal(find('token-one'), undefined);
  });

  it('says which lines are no tokens, and not what they hold', () => {
    write('# of the night shift\ntoken-one,jane,\n\nsecret without commas\n');
    const find = tokensOfFile(file, clock, {
      ...log,
      warn: (event, facts) => logged.push(`${event} ${JSON.stringify(facts?.['lines'])}`),
    });
    assert.equal(find('token-one')?.name, 'jane');
    assert.deepEqual(logged, ['api.token-lines-skipped [4]']);
  });
});
