import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

const BUILT = 1_700_000_000;
const SOURCES = ['packages/bloomery/src/main.ts', 'packages/talos/src/types.json', 'package-lock.json'];

describe('./bloomery', () => {
  let root: string;
  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'blm-launcher-')));
    copyFileSync(join(import.meta.dirname, '../../../bloomery'), join(root, 'bloomery'));
    for (const file of [...SOURCES, 'build/bloomery.mjs']) {
      mkdirSync(join(root, dirname(file)), { recursive: true });
      writeFileSync(join(root, file), '');
      utimesSync(join(root, file), BUILT, BUILT);
    }
    const folder = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'node'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** What it starts: the last but one of the words that Node is given. */
  const started = (): string => {
    const words = execFileSync(join(root, 'bloomery'), ['version'], { encoding: 'utf8' }).trim().split(' ');
    return words.at(-2)?.slice(root.length + 1) ?? '';
  };

  it('starts what was bundled', () => assert.equal(started(), 'build/bloomery.mjs'));

  it('starts the sources where nothing was bundled', () => {
    rmSync(join(root, 'build'), { recursive: true });
    assert.equal(started(), 'packages/bloomery/src/main.ts');
  });

  for (const file of SOURCES)
    it(`starts the sources when ${file} is newer than what was bundled`, () => {
      utimesSync(join(root, file), BUILT + 1, BUILT + 1);
      assert.equal(started(), 'packages/bloomery/src/main.ts');
    });
});
