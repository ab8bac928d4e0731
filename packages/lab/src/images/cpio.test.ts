import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { type CpioEntry, encodeCpio } from './cpio.ts';

const entries: readonly CpioEntry[] = [
  { path: 'init', kind: 'file', content: Buffer.from('#!/bin/sh\n'), executable: true },
  { path: 'bin/deep/tool', kind: 'file', content: Buffer.from('abc'), executable: false },
  { path: 'bin/sh', kind: 'link', target: 'deep/tool' },
];
const noCpio = spawnSync('busybox', ['cpio', '--help']).error !== undefined && 'busybox is not installed';

describe('an initramfs archive', () => {
  it('has the same bytes whatever the order of its entries', () => {
    assert.deepEqual(encodeCpio(entries), encodeCpio([...entries].reverse()));
  });
  it('is read by cpio, with parents before children', { skip: noCpio }, () => {
    const { stdout } = spawnSync('busybox', ['cpio', '-t', '-v'], { input: encodeCpio(entries), encoding: 'utf8' });
    const listed = stdout
      .trim()
      .split('\n')
      .map((line) => `${line.slice(0, 10)} ${line.split(' ').slice(-1)}`);
    assert.deepEqual(listed, [
      'drwxr-xr-x bin',
      'drwxr-xr-x bin/deep',
      '-rw-r--r-- bin/deep/tool',
      'lrwxrwxrwx deep/tool',
      '-rwxr-xr-x init',
    ]);
  });
});
