import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'node:test';
import { networkFileSystem } from './file-system.ts';

const cases: [name: string, type: number, want: string | undefined][] = [
  ['NFS', 0x6969, 'NFS'],
  ['SMB with a sign', 0xfe534d42 | 0, 'SMB2'],
  ['ext4', 0xef53, undefined],
  ['tmpfs', 0x01021994, undefined],
  ['overlayfs', 0x794c7630, undefined],
];

describe('a file system', () => {
  for (const [name, type, want] of cases)
    it(`${name} is ${want === undefined ? 'local' : 'a network one'}`, () =>
      assert.equal(networkFileSystem(type), want));

  it('that tests run on is a local one', () => assert.equal(networkFileSystem(statfsSync(tmpdir()).type), undefined));
});
