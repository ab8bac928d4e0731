import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

const root = join(import.meta.dirname, '../../..');

describe('the bundle of `make setup`', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'blm-bundle-'));
    execFileSync(process.execPath, [join(root, 'scripts/bundle.ts'), join(dir, 'build')]);
  });
  after(() => rmSync(dir, { recursive: true }));

  it('has every thread that a source begins', () => {
    const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
    const threads = sources.flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/^const THREAD_FILE = .*'\.\/([a-z-]+\.mjs)';$/gm)].map(
        ([, thread]) => thread ?? '',
      ),
    );
    assert.ok(threads.length >= 2, threads.join(' '));
    const built = readdirSync(join(dir, 'build'));
    assert.deepEqual(
      threads.filter((thread) => !built.includes(thread)),
      [],
    );
  });

  it('starts', () => {
    const help = execFileSync(process.execPath, [join(dir, 'build/bloomery.mjs'), 'node', '--help'], {
      encoding: 'utf8',
    });
    assert.match(help, /^Usage: bloomery node /);
  });

  // Such a character doubles what a whole file takes in memory.
  it('has no character beyond Latin-1', () => {
    const beyond = readdirSync(join(dir, 'build')).filter((file) => {
      const text = readFileSync(join(dir, 'build', file), 'utf8');
      return Buffer.from(text, 'latin1').toString('latin1') !== text;
    });
    assert.deepEqual(beyond, []);
  });
});
